import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// What looks for missing jobs leave in the database, and when missing is certain.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct PostgresGapStoreTests {
  private struct Store {
    let pool: PostgresConnectionPool
    var gaps: PostgresGapStore { PostgresGapStore(pool: pool) }
    var jobs: PostgresJobStore { PostgresJobStore(pool: pool) }
    var operators: PostgresMissingJobs { PostgresMissingJobs(pool: pool, by: "Ágnes") }

    /// A look, as if the others had been this many seconds earlier.
    func look(
      _ missing: [PoolName: Int], overdue: [PoolName: Int] = [:], unroutable: Int = 0, after seconds: Int = 5
    ) async throws {
      try await pool.query(
        "UPDATE jobs.gap SET since = since - make_interval(secs => \(seconds)), checked_at = checked_at - make_interval(secs => \(seconds))"
      )
      try await gaps.finish(missing: missing, overdue: overdue, unroutable: unroutable, tiers: ["tier"])
    }

    func missing() async throws -> [PoolName: Int] {
      Dictionary(uniqueKeysWithValues: try await gaps.report().missing.map { ($0.pool, $0.count) })
    }

    /// Records jobs of a pool as accepted.
    func accept(_ count: Int, _ name: PoolName = "one", reference: AcceptedReference? = nil) async throws
      -> [JobEnvelope]
    {
      let jobs = (0..<count).map { _ in SampleJobs.bare() }
      _ = try await self.jobs.recordAccepted(jobs.map { AcceptedJob($0, pool: name, reference: reference) })
      return jobs
    }
  }

  private func withStore(_ body: (Store) async throws -> Void) async throws {
    try await withTestDatabase { pool, _ async throws in try await body(Store(pool: pool)) }
  }

  @Test func `a gap is certain when every look of 45 seconds has seen it, and is the least of them`() async throws {
    try await withStore { it async throws in
      for count in [9, 7, 8, 12, 9, 9, 9, 9, 9] {
        try await it.look(["one": count, "two": 0])
        #expect(try await it.missing().isEmpty)
      }
      try await it.look(["one": 9, "two": 0])
      #expect(try await it.missing() == ["one": 7])
      try await it.look(["one": 0, "two": 0])
      #expect(try await it.missing().isEmpty)
      try await it.look(["one": 3, "two": 0], after: 60)
      #expect(try await it.missing().isEmpty)
    }
  }

  @Test func `old jobs that most of five looks have not found are missing, however much moves around them`()
    async throws
  {
    try await withStore { it async throws in
      for overdue in [2, 3, -1, 2] {
        try await it.look(["one": -4], overdue: ["one": overdue])
        #expect(try await it.missing().isEmpty)
      }
      try await it.look(["one": 1], overdue: ["one": -9])
      #expect(try await it.missing() == ["one": 2])
      // Those of before are missing, not those that were accepted since.
      let since = try #require(try await it.gaps.report().missing.first?.since)
      #expect((20...40).contains(Date.now.timeIntervalSince(since)))
      // A pause begins anew.
      try await it.look(["one": 0], overdue: ["one": 5], after: 31)
      #expect(try await it.missing().isEmpty)
      for _ in 0..<4 { try await it.look(["one": 0], overdue: ["one": 3]) }
      #expect(try await it.missing() == ["one": 3])
      try await it.operators.settle("one")
      #expect(try await it.missing().isEmpty)
    }
  }

  @Test func `overdue is what was recorded half a minute ago and is nowhere else`() async throws {
    try await withStore { it async throws in
      let jobs = try await it.accept(4)
      try await it.jobs.schedule(jobs[0], pool: "one", after: .seconds(60))
      let receipt = JobReceipt(jobRun: jobs[1].jobRun, kind: "test", pool: "one")
      _ = try await it.jobs.complete([receipt], deadline: .now + .seconds(10)) { _, _ in Completion() }
      _ = try await it.jobs.sweepAccepted(thoroughly: true)
      #expect(try await it.gaps.overdueCounts() == ["one": 0])
      try await it.pool.query("UPDATE jobs.accepted SET accepted_at = accepted_at - interval '31 seconds'")
      _ = try await it.accept(3)
      #expect(try await it.gaps.overdueCounts() == ["one": 2])
    }
  }

  @Test func `looks with a pause between them do not add up, but what was certain stays`() async throws {
    try await withStore { it async throws in
      for _ in 0..<6 { try await it.look(["one": 5]) }
      try await it.look(["one": 5], after: 31)
      #expect(try await it.missing().isEmpty)
      for _ in 0..<10 { try await it.look(["one": 4]) }
      #expect(try await it.missing() == ["one": 4])
      try await it.look(["one": 4], after: 300)
      #expect(try await it.missing() == ["one": 4])
    }
  }

  @Test func `jobs that became unroutable since explain a gap, those from before do not`() async throws {
    try await withStore { it async throws in
      try await it.look(["one": 0], unroutable: 100)
      for _ in 0..<12 { try await it.look(["one": 5], unroutable: 103) }
      #expect(try await it.missing() == ["one": 2])
      for _ in 0..<12 { try await it.look(["one": 5], unroutable: 105) }
      #expect(try await it.missing().isEmpty)
    }
  }

  @Test func `only one process looks at a time, and learns of the retry tiers`() async throws {
    try await withStore { it async throws in
      #expect(try await it.gaps.begin(interval: .seconds(3)) == [])
      #expect(try await it.gaps.begin(interval: .seconds(3)) == nil)
      try await it.gaps.finish(missing: [:], overdue: [:], unroutable: 0, tiers: ["vluma.retry.1s", "vluma.retry.2m"])
      #expect(try await it.gaps.begin(interval: .zero) == ["vluma.retry.1s", "vluma.retry.2m"])
    }
  }

  @Test func `a report says when the last look was, and why it could not judge`() async throws {
    try await withStore { it async throws in
      #expect(try await it.gaps.report().secondsSinceLook == nil)
      #expect(try await !it.gaps.report().isCurrent)
      try await it.look([:])
      #expect(try await it.gaps.report().isCurrent)
      try await it.gaps.fail("RabbitMQ is away")
      #expect(try await it.gaps.report().unknown == "RabbitMQ is away")
      #expect(try await !it.gaps.report().isCurrent)
      try await it.look([:])
      #expect(try await it.gaps.report().isCurrent)
    }
  }

  @Test func `the oldest recorded jobs that are nowhere else are the examples`() async throws {
    try await withStore { it async throws in
      let jobs = try await it.accept(3)
      try await it.jobs.schedule(jobs[1], pool: "one", after: .seconds(60))
      try await it.pool.query("UPDATE jobs.accepted SET accepted_at = accepted_at - interval '2 minutes'")
      // Accepted after the first look.
      _ = try await it.accept(2)
      for _ in 0..<11 { try await it.look(["one": 7]) }
      let report = try await it.gaps.report(withExamples: true)
      #expect(Set(report.missing.flatMap(\.examples).map(\.jobRun)) == [jobs[0].jobRun, jobs[2].jobRun])
    }
  }

  @Test func `missing jobs are put into the outbox once each, whole and page by page`() async throws {
    try await withStore { it async throws in
      let jobs = try await it.accept(1_203)
      _ = try await it.accept(2, reference: AcceptedReference(source: "test", eventIDs: ["a", "b"]))
      _ = try await it.accept(5, "two")
      #expect(try await it.operators.counts(of: "one", before: nil) == (withBody: 1_203, without: 2))
      #expect(try await it.operators.counts(of: "one", before: .now - 60) == (withBody: 0, without: 0))
      #expect(try await it.operators.enqueue("one", before: .now) == 1_203)
      #expect(try await it.operators.enqueue("one", before: .now) == 0)
      let relayed = Locked<[JobEnvelope]>([])
      _ = try await it.jobs.relayOutbox(olderThan: .seconds(2), limit: 2_000) { entries in
        relayed.change { $0 = entries.map(\.envelope) }
        return entries.map(\.envelope.jobRun)
      }
      #expect(relayed.value.count == 1_203)
      #expect(Set(relayed.value.map(\.jobRun)) == Set(jobs.map(\.jobRun)))
      #expect(relayed.value.first { $0.id == jobs[0].id } == jobs[0])
      // They are recorded as before, and counted once.
      #expect(try await it.jobs.sweepAccepted(thoroughly: true)["one"] == JobFlow(accepted: 1_205))
      let audit = try await it.pool.query("SELECT who, after FROM jobs.audit WHERE action = 'missing.enqueue'")
      #expect(try audit.map { try $0.decode(1, as: String.self) }.sorted() == ["203 jobs", "500 jobs", "500 jobs"])
    }
  }

  @Test func `a large body is a page by itself`() async throws {
    try await withStore { it async throws in
      let jobs = (0..<5).map { _ in JobEnvelope(kind: "test", body: Data(repeating: 7, count: 9 << 20)) }
      for job in jobs { _ = try await it.jobs.recordAccepted([AcceptedJob(job, pool: "one")]) }
      #expect(try await it.operators.enqueue("one", before: nil) == 5)
      #expect(try await it.pool.query("SELECT after FROM jobs.audit").count == 5)
    }
  }

  @Test func `dismissed jobs count as cancelled, and one that comes up after all runs and adds up`() async throws {
    try await withStore { it async throws in
      let named = try await it.accept(3, reference: AcceptedReference(source: "test", eventIDs: ["a", "b\nc"]))
      let whole = try await it.accept(2)
      let records = try await it.operators.records(of: "one", before: nil, limit: 10)
      #expect(records.count == 5)
      let bodiless = try #require(records.first { !$0.hasBody })
      #expect(bodiless.source == "test")
      #expect(bodiless.eventIDs == ["a", "bc"])
      #expect(try await it.operators.dismiss("one", before: nil) == 3)
      #expect(try await it.operators.dismiss("one", before: nil) == 0)
      #expect(try await it.operators.dismiss("one", before: nil, only: [whole[0].id]) == 1)
      #expect(try await it.jobs.sweepAccepted(thoroughly: true)["one"] == JobFlow(accepted: 5, cancelled: 4))
      let receipt = JobReceipt(jobRun: named[0].jobRun, kind: "test", pool: "one")
      #expect(try await it.jobs.complete([receipt], deadline: .now + .seconds(10)) { _, _ in Completion() } != nil)
      #expect(
        try await it.jobs.sweepAccepted(thoroughly: true)["one"] == JobFlow(accepted: 6, completed: 1, cancelled: 4))
      try await it.operators.writeOff("one", count: 1)
      #expect(try await it.jobs.sweepAccepted(thoroughly: true)["one"]?.open == 0)
    }
  }

  @Test func `jobs that move to another pool are counted there`() async throws {
    try await withStore { it async throws in
      let rerouter = PostgresRerouter(pool: it.pool, by: "test")
      let jobs = try await it.accept(4)
      try await rerouter.recordMoved([jobs[0].jobRun, jobs[1].jobRun, JobRun(id: JobID())], to: "two")
      try await rerouter.recordMoved([jobs[0].jobRun], to: "two")
      try await it.jobs.schedule(jobs[2], pool: "one", after: .seconds(60))
      // One that was never recorded, and one that its transaction has counted.
      try await it.jobs.schedule(SampleJobs.bare(), pool: "one", after: .seconds(60))
      let cause = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test", pool: "three")
      _ = try await it.jobs.complete([cause], deadline: .now + .seconds(10)) { _, _ in
        Completion(followUps: [RoutedFollowUp(envelope: SampleJobs.bare(), pool: "one", dueAt: nil)])
      }
      #expect(try await it.jobs.sweepAccepted(thoroughly: true)["one"] == JobFlow(accepted: 3))
      #expect(try await rerouter.rerouteJobs(from: "one", to: "two", kinds: ["test.bare"]) == 3)
      let flows = try await it.jobs.sweepAccepted(thoroughly: true)
      #expect(flows["one"] == JobFlow(accepted: 1))
      #expect(flows["two"] == JobFlow(accepted: 4))
      #expect(flows["three"] == JobFlow(accepted: 1, completed: 1))
    }
  }
}
