import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresJobStoreTests {
  /// A second node's store on the same database, with connections of its own.
  private func withSecondNode<Value>(
    _ configuration: PostgresConfiguration, _ body: (PostgresJobStore) async throws -> Value
  ) async throws -> Value {
    let pool = PostgresConnectionPool(configuration, size: 4)
    do {
      let value = try await body(PostgresJobStore(pool: pool))
      await pool.close()
      return value
    } catch {
      await pool.close()
      throw error
    }
  }

  /// Completes a fresh job from which these follow.
  private func enqueue(_ followers: [JobEnvelope], _ store: PostgresJobStore) async throws {
    let cause = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.cause", pool: "one")
    _ = try await store.complete([cause], deadline: .now + .seconds(10)) { _, _ in
      var completion = Completion()
      completion.followUps = followers.map { RoutedFollowUp(envelope: $0, pool: "one", dueAt: nil) }
      return completion
    }
  }

  /// Relays until nothing is left; returns what was published.
  private func relayAll(_ store: PostgresJobStore) async throws -> [JobRun] {
    let published = Locked<[JobRun]>([])
    while true {
      let count = try await store.relayOutbox(olderThan: .zero, limit: 20) { entries in
        let runs = entries.map(\.envelope.jobRun)
        published.change { $0 += runs }
        return runs
      }
      if count == 0 { return published.value }
    }
  }

  @Test func `two relays at once publish each entry once`() async throws {
    try await withTestDatabase { pool, configuration async throws in
      let first = PostgresJobStore(pool: pool)
      try await withSecondNode(configuration) { second async throws in
        let jobs = (0..<200).map { _ in SampleJobs.bare() }
        try await enqueue(jobs, first)
        async let firstGot = relayAll(first)
        async let secondGot = relayAll(second)
        // One may see an empty outbox while the other still holds rows; what is left then is for the other.
        let published = try await firstGot + secondGot
        #expect(published.count == jobs.count)
        #expect(Set(published) == Set(jobs.map(\.jobRun)))
        #expect(try await relayAll(first).isEmpty)
      }
    }
  }

  @Test func `a due job fires once on two nodes that release at the same time`() async throws {
    try await withTestDatabase { pool, configuration async throws in
      let first = PostgresJobStore(pool: pool)
      try await withSecondNode(configuration) { second async throws in
        for _ in 0..<20 {
          let jobs = (0..<3).map { _ in SampleJobs.full() }
          for job in jobs { try await first.schedule(job, pool: "one", after: .seconds(-1)) }
          async let firstGot = first.releaseDueJobs(limit: 10)
          async let secondGot = second.releaseDueJobs(limit: 10)
          let released = try await firstGot + secondGot
          #expect(released.count == jobs.count)
          #expect(Set(released.map(\.envelope.id)) == Set(jobs.map(\.id)))
        }
      }
    }
  }

  @Test func `of twenty completions of one job at once, on few connections, one has an effect`() async throws {
    try await withTestDatabase(migrations: [effectTable], connections: 4) { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.kind", pool: "one")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 {
          group.addTask {
            _ = try await store.complete([receipt], deadline: .now + .seconds(20)) { transaction, _ in
              try await transaction.query("INSERT INTO effect (name) VALUES ('once')")
              return Completion()
            }
          }
        }
        try await group.waitForAll()
      }
      let count = try await pool.query("SELECT count(*) FROM effect")[0].decode(0, as: Int.self)
      #expect(count == 1)
    }
  }

  @Test func `receipts say how a job ended, and why`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let (completed, gone) = (JobRun(id: JobID(), run: 2), JobRun(id: JobID()))
      let receipts = [completed, gone].map { JobReceipt(jobRun: $0, kind: "test.kind", pool: "one") }
      _ = try await store.complete(receipts, deadline: .now + .seconds(10)) { _, _ in
        var completion = Completion()
        completion.outcomes[gone] = .cancelled(reason: "it is \"too\" late")
        return completion
      }
      let rows = try await pool.query("SELECT job_id, run, outcome, kind, pool, reason FROM jobs.receipt ORDER BY run")
      #expect(rows.count == 2)
      let ids = try rows.map { JobID(try $0.decode(0, as: UUID.self)) }
      let outcomes = try rows.map { try $0.decode(2, as: String.self) }
      let reasons = try rows.map { try $0.decodeIfPresent(5, as: String.self) }
      #expect(ids == [gone.id, completed.id])
      #expect(outcomes == ["cancelled", "completed"])
      #expect(reasons == ["it is \"too\" late", nil])
      #expect(try rows[0].decode(3, as: String.self) == "test.kind")
      #expect(try rows[0].decode(4, as: String.self) == "one")
    }
  }

  @Test func `a server that is away is a store that is unavailable`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    proxy.stop()
    let configuration = try PostgresConfiguration(url: TestEnvironment.postgres().with(port: proxy.port))
    let store = PostgresJobStore(pool: PostgresConnectionPool(configuration, size: 1))
    let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.kind", pool: "one")
    let calls: [@Sendable () async throws -> Void] = [
      { _ = try await store.complete([receipt], deadline: .now + .seconds(5)) { _, _ in Completion() } },
      { try await store.deleteFromOutbox([receipt.jobRun]) },
      { _ = try await store.relayOutbox(olderThan: .zero, limit: 1) { _ in [] } },
      { try await store.schedule(SampleJobs.bare(), pool: "one", after: .zero) },
      { _ = try await store.releaseDueJobs(limit: 1) },
      { _ = try await store.markStart(receipt.jobRun, node: "a") },
      { try await store.clearStarts(receipt.jobRun) },
    ]
    for (place, call) in calls.enumerated() {
      let error = await #expect(throws: JobStoreError.self, "call \(place)") { try await call() }
      guard case .unavailable = error else {
        Issue.record("call \(place) threw \(String(describing: error))")
        continue
      }
    }
  }

  @Test func `a connection that is lost before the commit leaves the job in doubt, and in truth open`() async throws {
    try await withTestDatabase(migrations: [effectTable]) { pool, configuration async throws in
      let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.kind", pool: "one")
      let proxy = try TestEnvironment.postgres().proxy()
      defer { proxy.stop() }
      // The database is named like its connections.
      let url = try TestEnvironment.postgres().with(port: proxy.port, path: "/" + configuration.applicationName)
      let distant = PostgresJobStore(pool: PostgresConnectionPool(try PostgresConfiguration(url: url), size: 1))
      await #expect(throws: JobStoreError.inDoubt) {
        _ = try await distant.complete([receipt], deadline: .now + .seconds(10)) { transaction, _ in
          try await transaction.query("INSERT INTO effect (name) VALUES ('lost')")
          proxy.stop()
          return Completion()
        }
      }
      _ = try await PostgresJobStore(pool: pool).complete([receipt], deadline: .now + .seconds(10)) { transaction, _ in
        try await transaction.query("INSERT INTO effect (name) VALUES ('kept')")
        return Completion()
      }
      let names = try await pool.query("SELECT name FROM effect").map { try $0.decode(0, as: String.self) }
      #expect(names == ["kept"])
    }
  }
}
