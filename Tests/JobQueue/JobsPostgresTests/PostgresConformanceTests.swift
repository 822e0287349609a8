import Jobs
import JobsPostgres
import JobsTesting
import Logging
import Postgres
import TestServers
import Testing

let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Where the tests' effects go.
let effectTable = PostgresMigration(name: "test_0001_effect", sql: "CREATE TABLE effect (name text NOT NULL)")

/// The store with a way to write effects and to read them.
func subject(_ pool: PostgresConnectionPool) -> JobStoreConformance<PostgresJobStore> {
  JobStoreConformance(
    store: PostgresJobStore(pool: pool),
    record: { transaction, name in _ = try await transaction.query("INSERT INTO effect (name) VALUES (\(name))") },
    effects: { try await pool.query("SELECT name FROM effect").map { try $0.decode(0, as: String.self) } },
    accepted: {
      try await pool.query("SELECT job_id, run FROM jobs.accepted").map {
        JobRun(id: JobID(try $0.decode(0)), run: try $0.decode(1))
      }
    })
}

@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresJobStoreConformanceTests {
  @Test(arguments: JobStoreConformance<PostgresJobStore>.rules)
  func `the store on PostgreSQL keeps the rule`(
    _ rule: ConformanceRule<JobStoreConformance<PostgresJobStore>>
  ) async throws {
    try await withTestDatabase(migrations: [effectTable]) { pool, _ in try await rule.check(subject(pool)) }
  }
}

@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresDeadLetterConformanceTests {
  @Test(arguments: DeadLetterConformance<PostgresJobStore>.rules)
  func `the dead letters' index on PostgreSQL keeps the rule`(
    _ rule: ConformanceRule<DeadLetterConformance<PostgresJobStore>>
  ) async throws {
    try await withTestDatabase { pool, _ async throws in
      let subject = DeadLetterConformance(
        store: PostgresJobStore(pool: pool), index: PostgresDeadLetterIndex(pool: pool))
      try await rule.check(subject)
    }
  }
}

@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresPoolDirectoryConformanceTests {
  @Test(arguments: PoolDirectoryConformance.rules)
  func `the pool directory on PostgreSQL keeps the rule`(
    _ rule: ConformanceRule<PoolDirectoryConformance>
  ) async throws {
    try await withTestDatabase { pool, _ async throws in
      try await rule.check(PoolDirectoryConformance(directory: PostgresPoolDirectory(pool: pool, logger: logger)))
    }
  }
}
