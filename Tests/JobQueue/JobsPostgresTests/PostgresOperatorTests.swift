import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// What operators do, and what is written down of it.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresOperatorTests {
  private struct AuditRow: Equatable {
    var who: String
    var action: String
    var target: String
    var before: String?
    var after: String?
  }

  private func audit(_ pool: PostgresConnectionPool) async throws -> [AuditRow] {
    try await pool.query("SELECT who, action, target, before, after FROM jobs.audit ORDER BY at, target").map { row in
      AuditRow(
        who: try row.decode(0), action: try row.decode(1), target: try row.decode(2),
        before: try row.decodeIfPresent(3), after: try row.decodeIfPresent(4))
    }
  }

  private func letter(_ envelope: JobEnvelope = SampleJobs.full()) -> DeadLetter {
    SampleJobs.letter(envelope, SampleJobs.deadLetterInfo(pool: "one"))
  }

  @Test func `retries and archivings are written down under the operator's name`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      let (again, gone) = (letter(), letter())
      try await index.record([again, gone])
      _ = try await index.retry(DeadLetterFilter(ids: [again.jobRun.id]), by: "Ágnes")
      _ = try await index.archive(DeadLetterFilter(ids: [gone.jobRun.id]), by: "O'Brien")
      _ = try await index.archive(DeadLetterFilter(), by: "third")
      let rows = try await audit(pool)
      let next = JobRun(id: again.jobRun.id, run: 2)
      #expect(
        rows == [
          AuditRow(who: "Ágnes", action: "dead.retry", target: "\(next)"),
          AuditRow(who: "O'Brien", action: "dead.archive", target: "\(gone.jobRun)"),
        ])
    }
  }

  @Test func `changes of a pool are written down with what was before and after`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let directory = PostgresPoolDirectory(pool: pool, logger: logger)
      _ = try await directory.change("one", by: "first") { $0.size = 7 }
      _ = try await directory.change("one", by: "second") { $0.isPaused = true }
      let rows = try await audit(pool)
      #expect(rows.map(\.who) == ["first", "second"])
      #expect(rows.allSatisfy { $0.action == "pool.set" && $0.target == "one" })
      #expect(rows.first?.after == rows.last?.before)
      #expect(rows.first?.after?.contains("7") == true)
      #expect(rows.last?.after?.contains("paused") == true)
    }
  }

  @Test func `letters keep their first death and their latest`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      let job = SampleJobs.full()
      for seconds in [1_790_000_100.0, 1_790_000_300, 1_790_000_200] {
        try await index.record([SampleJobs.letter(job, SampleJobs.deadLetterInfo(pool: "one", at: seconds))])
      }
      let groups = try await index.groups()
      #expect(groups.map(\.count) == [1])
      #expect(groups.first?.firstAt == Date(timeIntervalSince1970: 1_790_000_100))
      #expect(groups.first?.lastAt == Date(timeIntervalSince1970: 1_790_000_300))
    }
  }

  @Test func `a retried job is as old as can be, so that the relay takes it at once`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      let store = PostgresJobStore(pool: pool)
      let letter = letter()
      try await index.record([letter])
      _ = try await index.retry(DeadLetterFilter(), by: "test")
      let taken = try await store.relayOutbox(olderThan: .seconds(3_600), limit: 10) { $0.map(\.envelope.jobRun) }
      #expect(taken == 1)
    }
  }

  @Test func `what the store holds is counted by pool`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let index = PostgresDeadLetterIndex(pool: pool)
      let empty = try await QueueCounts.read(pool)
      #expect(empty.scheduled.isEmpty && empty.dead.isEmpty && empty.outbox == 0 && empty.outboxOldestSeconds == nil)
      for name in ["one", "one", "two"] as [PoolName] {
        try await store.schedule(SampleJobs.bare(), pool: name, after: .seconds(3_600))
      }
      let (open, retried) = (letter(), letter())
      try await index.record([open, retried])
      _ = try await index.retry(DeadLetterFilter(ids: [retried.jobRun.id]), by: "test")
      let redriven = try await QueueCounts.read(pool)
      #expect(redriven.scheduled == ["one": 2, "two": 1])
      #expect(redriven.dead == ["one": 1])
      #expect(redriven.outbox == 1)
      #expect(redriven.outboxOldestSeconds == nil)
      let cause = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.kind", pool: "one")
      _ = try await store.complete([cause], deadline: .now + .seconds(10)) { _, _ in
        var completion = Completion()
        completion.followUps = [RoutedFollowUp(envelope: SampleJobs.bare(), pool: "one", dueAt: nil)]
        return completion
      }
      let counts = try await QueueCounts.read(pool)
      #expect(counts.outbox == 2)
      #expect((counts.outboxOldestSeconds ?? -1) >= 0)
    }
  }

  @Test func `a watcher on another connection hears of a change`() async throws {
    try await withTestDatabase { pool, configuration async throws in
      let elsewhere = PostgresConnectionPool(configuration, size: 2)
      let calls = Locked(0)
      let watcher = PostgresPoolDirectory(pool: elsewhere, logger: logger)
      let watching = Task { await watcher.watch { calls.change { $0 += 1 } } }
      defer { watching.cancel() }
      // Listening begins with a call: whatever was changed before is read then.
      try await eventually("the watcher listens") { calls.value > 0 }
      let before = calls.value
      _ = try await PostgresPoolDirectory(pool: pool, logger: logger).change("one", by: "test") { $0.size = 3 }
      try await eventually("the watcher hears of the change") { calls.value > before }
      let seen = try await watcher.overview().settings
      #expect(seen["one"]?.size == 3)
      await elsewhere.close()
    }
  }
}
