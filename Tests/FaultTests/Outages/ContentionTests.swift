import Postgres
import TestPlatform
import TestServers
import Testing

/// Locks that others hold, and statements that the server cancels, with the real program: no attempt is spent.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct ContentionTests {
  /// Books while `disturb` runs, and expects every booking confirmed without a failed attempt.
  ///
  /// - Parameter sign: what the worker's log says of it.
  private func spendsNoAttempt(showing sign: String, _ disturb: @escaping @Sendable (Platform) async throws -> Void)
    async throws
  {
    var setup = Platform.Setup()
    setup.maxAttempts = 2
    try await Platform.with(setup) { (platform) async throws in
      let (_, address) = try await platform.startIngest()
      let worker = try await platform.startWorker()
      var bookings = [try #require(try await platform.book(0, at: address)?.booking)]
      try await platform.waitForBooking(bookings[0], status: "confirmed")
      async let disturbance: Void = disturb(platform)
      for index in 1...30 { bookings.append(try #require(try await platform.book(index, at: address)?.booking)) }
      try await disturbance
      for booking in bookings { try await platform.waitForBooking(booking, status: "confirmed", within: .seconds(40)) }
      try await platform.waitUntilIdle()
      #expect(!worker.output.contains("attempt failed"))
      #expect(worker.output.contains(sign))
      #expect(try await platform.deadLetters().isEmpty)
    }
  }

  @Test(arguments: ["bookings.booking", "jobs.receipt"])
  func `a table that is locked for many seconds`(_ table: String) async throws {
    try await spendsNoAttempt(showing: "spend no attempt") { platform in
      try await platform.pool.withTransaction(deadline: .now + .seconds(40)) { transaction in
        try await transaction.run([
          "SET LOCAL lock_timeout = '20s'", "LOCK TABLE \(unsafe: table) IN ACCESS EXCLUSIVE MODE",
        ])
        try await Task.sleep(for: .seconds(14))
      }
    }
  }

  @Test func `a statement timeout that no statement can keep`() async throws {
    @Sendable func setTimeout(_ timeout: String, _ platform: Platform) async throws {
      try await platform.pool.withTransaction { transaction in
        try await transaction.query("SET LOCAL statement_timeout = 0")
        try await transaction.run([
          "ALTER DATABASE \(unsafe: platform.name) SET statement_timeout = '\(unsafe: timeout)'",
          """
          SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()
          """,
        ])
      }
    }
    try await spendsNoAttempt(showing: "was cancelled by the server") { platform in
      try await setTimeout("1ms", platform)
      try await Task.sleep(for: .seconds(8))
      try await eventually("the timeout is taken away") {
        (try? await setTimeout("0", platform)) != nil
      }
    }
  }
}
