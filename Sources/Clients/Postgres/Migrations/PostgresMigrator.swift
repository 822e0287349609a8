internal import ClientLoop
internal import Crypto
internal import Foundation

/// Applies migrations in order, each once; an advisory lock keeps other processes that migrate waiting.
package struct PostgresMigrator: Sendable {
  private let configuration: PostgresConfiguration
  private let migrations: [PostgresMigration]
  /// Arbitrary, and the same in every process: the letters "vluma".
  private static let lockKey = 0x76_6c_75_6d_61

  package init(_ configuration: PostgresConfiguration, migrations: [PostgresMigration]) {
    self.configuration = configuration
    self.migrations = migrations
  }

  package enum Failure: Error, CustomStringConvertible {
    /// A migration was edited after it was applied.
    case edited(name: String)
    /// The server refused a migration; its message quotes only the migration.
    case refused(name: String, reason: String)

    /// Safe to log: the server's message quotes the migration, not data.
    package var description: String {
      switch self {
      case .edited(let name):
        "migration \(name) was edited after it was applied (checksum mismatch): "
          + "restore it and add a new migration instead"
      case .refused(let name, let reason): "migration \(name) failed and was rolled back: \(reason)"
      }
    }
  }

  /// The names of the migrations that were not applied yet, in order.
  package func pending() async throws -> [String] {
    let connection = try await PostgresConnection.connect(configuration)
    let exists: Bool = try await connection.query("SELECT to_regclass('public.schema_migration') IS NOT NULL")[0]
      .decode(0)
    let applied = exists ? try await appliedChecksums(connection) : [:]
    await connection.close()
    return try unapplied(applied).map(\.name)
  }

  /// Applies the pending migrations and returns their names.
  package func migrate() async throws -> [String] {
    let connection = try await PostgresConnection.connect(configuration)
    let deadline = ContinuousClock.now + .seconds(600)
    try await connection.query("SET lock_timeout = 0")
    try await connection.query("SELECT pg_advisory_lock(\(Self.lockKey)::bigint)::text", deadline: deadline)
    try await connection.query(
      """
      CREATE TABLE IF NOT EXISTS public.schema_migration (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
      """)
    let missing = try unapplied(try await appliedChecksums(connection))
    for migration in missing {
      do {
        try await connection.runScript(
          """
          BEGIN; \(migration.lockStatements) \(migration.sql)
          ;
          INSERT INTO public.schema_migration (name, checksum)
            VALUES ('\(migration.name)', '\(Self.checksum(migration))');
          COMMIT
          """, deadline: deadline)
      } catch let error as PostgresError {
        await connection.close()
        throw Failure.refused(name: migration.name, reason: error.debugDescription)
      }
    }
    await connection.close()  // releases the lock
    return missing.map(\.name)
  }

  private func appliedChecksums(_ connection: PostgresConnection) async throws -> [String: String] {
    var checksums: [String: String] = [:]
    for row in try await connection.query("SELECT name, checksum FROM public.schema_migration") {
      checksums[try row.decode(0)] = try row.decode(1, as: String.self)
    }
    return checksums
  }

  private func unapplied(_ applied: [String: String]) throws -> [PostgresMigration] {
    try migrations.filter { migration in
      guard let checksum = applied[migration.name] else { return true }
      guard checksum == Self.checksum(migration) else { throw Failure.edited(name: migration.name) }
      return false
    }
  }

  private static func checksum(_ migration: PostgresMigration) -> String {
    SHA256.hash(data: Data(migration.sql.utf8)).hexEncoded
  }
}
