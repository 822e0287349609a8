import Foundation
import Postgres
import TestServers

/// Faults of a run's PostgreSQL.
extension PrivateServers {
  /// The size of a disk that holds a run's data, and is soon filled.
  static let smallDiskMegabytes = 200

  /// Whether PostgreSQL has a small disk: mounting one may not be permitted.
  func hasSmallDisk() async -> Bool { (try? await run("free", "postgres")) != nil }

  /// Takes all space of PostgreSQL's disk; with `stops`, also that of its log, which ends it.
  func fillPostgresDisk(stops: Bool) async throws {
    try await run("fill", "postgres")
    guard stops else { return }
    let connection = try await PostgresConnection.connect(administrator)
    for _ in 0..<20 {
      // A switch to another file of the log is possible once something was written.
      do {
        try await connection.query("SELECT pg_logical_emit_message(true, 'fault', repeat('x', 200000))")
        try await connection.query("SELECT pg_switch_wal()")
      } catch { break }
    }
    await connection.close()
  }

  /// Frees the space again, and starts PostgreSQL if it has ended.
  func freePostgresDisk() async throws {
    try await run("free", "postgres")
    try await eventually(within: .seconds(60), every: .milliseconds(200), "PostgreSQL answers again") {
      if let connection = try? await PostgresConnection.connect(administrator) {
        await connection.close()
        return true
      }
      _ = try? await run("start", "postgres")
      return false
    }
  }

  /// Sets the statement timeout of a database; nil: none. The platform's sessions end, so that new ones have it.
  func setStatementTimeout(_ milliseconds: Int?, of database: String) async throws {
    let connection = try await PostgresConnection.connect(administrator)
    let change = milliseconds.map { "SET statement_timeout = \($0)" } ?? "RESET statement_timeout"
    do {
      try await connection.runScript("ALTER DATABASE \(database) \(change)", deadline: .now + .seconds(10))
      try await connection.query(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = \(database) AND application_name LIKE 'vluma%'
        """)
    } catch {
      await connection.close()
      throw error
    }
    await connection.close()
  }

  /// Cancels what the platform's sessions run at the moment, until the task is cancelled.
  func cancelStatements(of database: String) async {
    guard let connection = try? await PostgresConnection.connect(administrator) else { return }
    while !Task.isCancelled {
      _ = try? await connection.query(
        """
        SELECT pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE datname = \(database) AND application_name LIKE 'vluma%' AND state <> 'idle'
        """)
      try? await Task.sleep(for: .milliseconds(50))
    }
    await connection.close()
  }

  private var administrator: PostgresConfiguration {
    get throws { try PostgresConfiguration(url: postgres.string, applicationName: "test") }
  }
}
