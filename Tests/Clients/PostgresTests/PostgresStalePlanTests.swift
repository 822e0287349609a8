import TestServers
import Testing

@testable import Postgres

/// Statements whose plan a migration has made stale: whoever runs them must not see it.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresStalePlanTests {
  /// A pool of one connection that has read the table `t`, which has another column and one row more since then.
  private func withChangedTable(_ body: (PostgresConnectionPool) async throws -> Void) async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      try await pool.query("CREATE TEMP TABLE t (a int)")
      try await pool.query(Self.read)
      try await pool.query("INSERT INTO t VALUES (\(0)::int)")
      try await pool.query("ALTER TABLE t ADD COLUMN b int DEFAULT 2")
      try await body(pool)
    }
  }

  private static let read: PostgresQuery = "SELECT * FROM t"

  @Test func `a read outside of a transaction runs again, unseen`() async throws {
    try await withChangedTable { pool async throws in
      #expect(try await pool.query(Self.read)[0].decode(1, as: Int.self) == 2)
    }
  }

  @Test func `of several statements in one round trip each takes effect once`() async throws {
    try await withChangedTable { pool async throws in
      let results = try await pool.withConnection {
        try await $0.run(["INSERT INTO t VALUES (\(0)::int)", Self.read])
      }
      #expect(results.map(\.count) == [0, 2])
    }
  }

  @Test func `the first statement of a transaction runs again, and its body does not`() async throws {
    try await withChangedTable { pool async throws in
      let runs = Locked(0)
      let count = try await pool.withTransaction { transaction in
        runs.change { $0 += 1 }
        return try await transaction.query(Self.read).count
      }
      #expect(count == 1)
      #expect(runs.value == 1)
    }
  }

  @Test func `a later statement of a transaction makes the whole of it run again, once`() async throws {
    try await withChangedTable { pool async throws in
      let runs = Locked(0)
      let count = try await pool.withTransaction { transaction in
        runs.change { $0 += 1 }
        try await transaction.query("INSERT INTO t VALUES (\(0)::int)")
        return try await transaction.query(Self.read).count
      }
      #expect(count == 2)
      #expect(runs.value == 2)
      #expect(try await pool.query(Self.read).count == 2)
    }
  }

  @Test func `a statement that is sent with the commit makes the transaction run again`() async throws {
    try await withChangedTable { pool async throws in
      try await pool.withTransaction { transaction in
        try await transaction.query("INSERT INTO t VALUES (\(0)::int)")
        transaction.beforeCommit([Self.read])
      }
      #expect(try await pool.query(Self.read).count == 2)
    }
  }

  @Test func `what was committed in the same round trip does not run again`() async throws {
    try await withChangedTable { pool async throws in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withConnection {
          try await $0.run(["BEGIN", "INSERT INTO t VALUES (\(0)::int)", "COMMIT", Self.read])
        }
      }
      #expect(error?.sqlState == "0A000")
      #expect(try await pool.query(Self.read).count == 2)
    }
  }

  @Test func `a statement that the server has forgotten is prepared again`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      #expect(try await pool.value("SELECT \(7)::int") == 7)
      try await pool.query("DISCARD PLANS")
      try await pool.query("DEALLOCATE ALL")
      #expect(try await pool.value("SELECT \(8)::int") == 8)
    }
  }

  @Test func `a feature that the server does not have is an error, each time`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      for _ in 0..<3 {
        let error = await #expect(throws: PostgresError.self) {
          // A set-returning function in a CASE is 0A000.
          try await pool.query("SELECT CASE WHEN true THEN generate_series(1, 2) END")
        }
        #expect(error?.sqlState == "0A000")
      }
    }
  }
}
