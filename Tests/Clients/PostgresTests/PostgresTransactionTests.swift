import Postgres
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PostgresTransactionTests {
  private struct Broken: Error {}

  /// A pool, and a table `t (id int primary key)` of its own.
  private func withTable(_ body: (PostgresConnectionPool, _ table: String) async throws -> Void) async throws {
    try await withSchema { schema async throws in
      try await withConnectionPool(postgres(lockTimeout: .seconds(1))) { pool async throws in
        try await pool.query("CREATE TABLE \(unsafe: schema).t (id int CONSTRAINT t_key PRIMARY KEY)")
        try await body(pool, schema + ".t")
      }
    }
  }

  private func ids(_ pool: PostgresConnectionPool, _ table: String) async throws -> [Int] {
    try await pool.query("SELECT id FROM \(unsafe: table) ORDER BY id").map { try $0.decode(0, as: Int.self) }
  }

  @Test func `the effects of a transaction are visible after it returned, and not before`() async throws {
    try await withTable { pool, table async throws in
      let value = try await pool.withTransaction { transaction async throws in
        try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
        try await transaction.run([
          "INSERT INTO \(unsafe: table) VALUES (2)", "INSERT INTO \(unsafe: table) VALUES (3)",
        ])
        #expect(try await ids(pool, table).isEmpty)
        return "done"
      }
      #expect(value == "done")
      #expect(try await ids(pool, table) == [1, 2, 3])
    }
  }

  @Test func `a body that throws undoes everything`() async throws {
    try await withTable { pool, table async throws in
      await #expect(throws: Broken.self) {
        try await pool.withTransaction { transaction async throws in
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          throw Broken()
        }
      }
      #expect(try await ids(pool, table).isEmpty)
    }
  }

  @Test func `a refused statement undoes everything`() async throws {
    try await withTable { pool, table async throws in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { transaction async throws in
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
        }
      }
      #expect(error?.kind == "23505")
      #expect(try await ids(pool, table).isEmpty)
    }
  }

  @Test func `a refused statement that the body hides does not become a commit`() async throws {
    try await withTable { pool, table async throws in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { transaction async throws in
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          _ = try? await transaction.query("SELECT 1 / 0")
        }
      }
      #expect(error?.kind == "25P02")
      #expect(try await ids(pool, table).isEmpty)
    }
  }

  @Test func `a cancelled task undoes everything, even when its body returns`() async throws {
    try await withTable { pool, table async throws in
      let begun = Locked(false)
      let task = Task {
        try await pool.withTransaction { transaction async throws in
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          begun.change { $0 = true }
          try? await eventually(within: .seconds(30), "cancelled") { Task.isCancelled }
        }
      }
      try await eventually("the insert is done") { begun.value }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(try await ids(pool, table).isEmpty)
    }
  }

  @Test func `a task cancelled inside a statement undoes everything, and the locks are free`() async throws {
    try await withTable { pool, table async throws in
      let begun = Locked(false)
      let task = Task {
        try await pool.withTransaction { transaction async throws in
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          begun.change { $0 = true }
          try await transaction.query("SELECT pg_sleep(40)")
        }
      }
      try await eventually("the insert is done") { begun.value }
      task.cancel()
      let took = await duration { await #expect(throws: CancellationError.self) { try await task.value } }
      #expect(took < .seconds(4))
      // The same key: this waits for a lock if the first insert was not rolled back.
      try await pool.query("INSERT INTO \(unsafe: table) VALUES (1)")
      #expect(try await ids(pool, table) == [1])
    }
  }

  @Test func `a deadline inside a transaction undoes everything`() async throws {
    try await withTable { pool, table async throws in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction(deadline: .now + .milliseconds(500)) { transaction async throws in
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          try await transaction.query("SELECT pg_sleep(40)")
        }
      }
      #expect(error?.kind == "deadlineExceeded")
      try await pool.query("INSERT INTO \(unsafe: table) VALUES (1)")
    }
  }

  @Test func `statements kept for the commit are part of the transaction, in their order`() async throws {
    try await withTable { pool, table async throws in
      try await pool.withTransaction { transaction async throws in
        transaction.beforeCommit(["INSERT INTO \(unsafe: table) VALUES (2)"])
        transaction.beforeCommit(["UPDATE \(unsafe: table) SET id = id + 10"])
        try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
      }
      #expect(try await ids(pool, table) == [11, 12])
    }
  }

  @Test func `statements kept for the commit are enough for a transaction`() async throws {
    try await withTable { pool, table async throws in
      try await pool.withTransaction { $0.beforeCommit(["INSERT INTO \(unsafe: table) VALUES (1)"]) }
      #expect(try await ids(pool, table) == [1])
    }
  }

  @Test func `a refused statement before the commit undoes everything`() async throws {
    try await withTable { pool, table async throws in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { transaction async throws in
          transaction.beforeCommit(["INSERT INTO \(unsafe: table) VALUES (1)"])
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
        }
      }
      #expect(error?.kind == "23505")
      #expect(try await ids(pool, table).isEmpty)
      await #expect(throws: Broken.self) {
        try await pool.withTransaction { transaction async throws in
          transaction.beforeCommit(["INSERT INTO \(unsafe: table) VALUES (5)"])
          throw Broken()
        }
      }
      #expect(try await ids(pool, table).isEmpty)
    }
  }

  @Test func `a constraint that is checked at the commit undoes everything and is named`() async throws {
    try await withTable { pool, table async throws in
      try await pool.query("ALTER TABLE \(unsafe: table) ADD COLUMN other int")
      try await pool.query(
        """
        ALTER TABLE \(unsafe: table) ADD CONSTRAINT late FOREIGN KEY (other) REFERENCES \(unsafe: table)
        DEFERRABLE INITIALLY DEFERRED
        """)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { try await $0.query("INSERT INTO \(unsafe: table) VALUES (1, 99)") }
      }
      #expect(error?.kind == "23503")
      #expect(error?.description.contains("late") == true)
      #expect(try await ids(pool, table).isEmpty)
    }
  }

  @Test func `a savepoint keeps what its body did, or undoes only that`() async throws {
    try await withTable { pool, table async throws in
      try await pool.withTransaction { transaction async throws in
        try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
        _ = try await transaction.withSavepoint {
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (2)")
        }
        await #expect(throws: Broken.self) {
          try await transaction.withSavepoint {
            try await transaction.query("INSERT INTO \(unsafe: table) VALUES (3)")
            throw Broken()
          }
        }
        let refused = await #expect(throws: PostgresError.self) {
          try await transaction.withSavepoint { try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)") }
        }
        #expect(refused?.kind == "23505")
        try await transaction.query("INSERT INTO \(unsafe: table) VALUES (4)")
      }
      #expect(try await ids(pool, table) == [1, 2, 4])
    }
  }

  @Test func `savepoints nest`() async throws {
    try await withTable { pool, table async throws in
      try await pool.withTransaction { transaction async throws in
        try await transaction.withSavepoint {
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (1)")
          await #expect(throws: Broken.self) {
            try await transaction.withSavepoint {
              try await transaction.query("INSERT INTO \(unsafe: table) VALUES (2)")
              throw Broken()
            }
          }
          try await transaction.query("INSERT INTO \(unsafe: table) VALUES (3)")
        }
      }
      #expect(try await ids(pool, table) == [1, 3])
    }
  }
}
