import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// What PostgreSQL does to a transaction that is not the job's fault, by the names that the engine knows.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct StoreContentionTests {
  private let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.kind", pool: "one")

  /// Runs a script on a connection of its own.
  private func run(_ script: String, _ configuration: PostgresConfiguration) async throws {
    let connection = try await PostgresConnection.connect(configuration)
    try await connection.runScript(script, deadline: .now + .seconds(10))
    await connection.close()
  }

  @Test func `a statement timeout of the role is contention, and not the job's fault`() async throws {
    try await withTestDatabase { pool, configuration async throws in
      let store = PostgresJobStore(pool: pool)
      await #expect(throws: JobStoreError.contention) {
        try await store.withTransaction(deadline: .now + .seconds(10)) { transaction in
          try await transaction.query("SET LOCAL statement_timeout = '50ms'")
          try await transaction.query("SELECT pg_sleep(5)::text")
        }
      }
    }
  }

  @Test func `a statement that an operator cancels is contention`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      async let cancelled: Void = eventually("the statement was cancelled") {
        try await pool.query(
          """
          SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity
          WHERE datname = current_database() AND query LIKE '%pg_sleep(7)%' AND pid <> pg_backend_pid()
          """
        ).count > 0
      }
      await #expect(throws: JobStoreError.contention) {
        try await store.withTransaction(deadline: .now + .seconds(10)) { transaction in
          try await transaction.query("SELECT pg_sleep(7)::text")
        }
      }
      try await cancelled
    }
  }

  @Test func `a statement that is slow by itself ends at the deadline, as what it is`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      await #expect(throws: JobStoreError.deadlineExceeded) {
        try await store.withTransaction(deadline: .now + .milliseconds(300)) { transaction in
          try await transaction.query("SELECT pg_sleep(8)::text")
        }
      }
    }
  }

  @Test(arguments: ["jobs.receipt", "effect"])
  func `a table that others have locked is contention, however little time is left`(_ table: String) async throws {
    try await withTestDatabase(migrations: [effectTable]) { pool, configuration async throws in
      let locker = try await PostgresConnection.connect(configuration)
      try await locker.run(["BEGIN", "LOCK TABLE \(unsafe: table) IN ACCESS EXCLUSIVE MODE"])
      let store = PostgresJobStore(pool: pool)
      await #expect(throws: JobStoreError.contention) {
        _ = try await store.complete([receipt], deadline: .now + .seconds(1)) { transaction, _ in
          try await transaction.query("INSERT INTO effect (name) VALUES ('a')")
          return Completion()
        }
      }
      await locker.close()
    }
  }

  @Test func `a locked receipt does not keep the other dead letters from the index for long`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let (store, index) = (PostgresJobStore(pool: pool), PostgresDeadLetterIndex(pool: pool))
      let dead = SampleJobs.bare()
      let letter = SampleJobs.letter(dead, SampleJobs.deadLetterInfo(pool: "one"))
      _ = try await store.complete(
        [JobReceipt(jobRun: dead.jobRun, kind: dead.kind, pool: "one")], deadline: .now + .seconds(20)
      ) { _, _ in
        let taken = await duration {
          await #expect(throws: JobStoreError.contention) { try await index.record([letter]) }
        }
        #expect(taken < .seconds(3))
        return Completion()
      }
    }
  }

  @Test func `after a migration that changes a statement's result the statement runs again, unseen`() async throws {
    try await withTestDatabase(migrations: [effectTable], connections: 1) { pool, configuration async throws in
      let store = PostgresJobStore(pool: pool)
      let read: @Sendable () async throws -> Int = {
        try await store.withTransaction(deadline: .now + .seconds(5)) { transaction in
          try await transaction.query("SELECT * FROM effect").count
        }
      }
      #expect(try await read() == 0)
      try await run("ALTER TABLE effect ADD COLUMN more text; INSERT INTO effect (name) VALUES ('a')", configuration)
      #expect(try await read() == 1)
    }
  }

  @Test func `a feature that the server does not have is an error at once`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let runs = Locked(0)
      let error = await #expect(throws: PostgresError.self) {
        try await store.withTransaction(deadline: .now + .seconds(20)) { transaction in
          runs.change { $0 += 1 }
          // A set-returning function in a CASE is 0A000.
          try await transaction.query("SELECT CASE WHEN true THEN generate_series(1, 2) END")
        }
      }
      #expect(error?.sqlState == "0A000")
      #expect(runs.value == 1)
    }
  }
}
