import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// What goes, and what stays.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct JobPrunerTests {
  private static let day = PrunedStore.day
  /// All but the last digit of an id that is less than any of our time, and of one that is greater.
  private static let lowest = "00000000-0000-4000-8000-00000000000"
  private static let highest = "ffffffff-ffff-4fff-bfff-fffffffffff"

  private func job(_ text: String) throws -> JobRun { JobRun(id: try #require(JobID(text))) }

  private func job(createdAt instant: Date) -> JobRun { JobRun(id: JobID(.version7(at: instant))) }

  @Test func `partitions are made ahead, once, and jobs are completed in them`() async throws {
    try await PrunedStore.with { it async throws in
      let before = try await it.partitions()
      let made = try await it.prune()
      let after = try await it.partitions()
      #expect(made.partitionsCreated > 0)
      #expect(after.isSuperset(of: before) && after.count == before.count + made.partitionsCreated)
      let again = try await it.prune()
      #expect(!again.hasChanges && !again.hasMore && !again.wasSkipped)

      let jobs = ([0, 10, 14] as [Double]).map { job(createdAt: it.now + $0 * Self.day) }
      for job in jobs {
        #expect(try await it.complete(job))
        #expect(try await !it.complete(job))
        let place = try await it.place(of: job)
        #expect(place != nil && place != "jobs.receipt_default")
      }
      let places = try await (it.place(of: jobs[0]), it.place(of: jobs[2]))
      #expect(places.0 != places.1)
    }
  }

  @Test func `a foreign id of a week to come is not in the way of its partition`() async throws {
    try await PrunedStore.with { it async throws in
      let early = job(createdAt: it.now + 12 * Self.day)
      try await it.complete(early)
      #expect(try await it.place(of: early) == "jobs.receipt_default")
      let pruned = try await it.prune()
      #expect(pruned.partitionsCreated > 0)
      let place = try await it.place(of: early)
      #expect(place != nil && place != "jobs.receipt_default")
      #expect(try await !it.complete(early))
    }
  }

  @Test func `old partitions go as a whole, and a job of their time is completed in the default one`() async throws {
    try await PrunedStore.with { it async throws in
      _ = try await it.prune()
      let jobs = ([0, 10] as [Double]).map { job(createdAt: it.now + $0 * Self.day) }
      for job in jobs { try await it.complete(job) }
      let before = try await it.partitions()
      let young = try await it.prune(now: it.now + 8 * Self.day)
      #expect(young.partitionsDropped == 0)
      #expect(try await it.completed(jobs) == jobs)

      let pruned = try await it.prune(now: it.later)
      #expect(pruned.partitionsDropped >= before.count - 1)
      #expect(try await it.partitions().intersection(before) == ["jobs.receipt_default"])
      #expect(try await it.completed(jobs) == [])
      #expect(try await it.complete(jobs[0]))
      #expect(try await !it.complete(jobs[0]))
      #expect(try await it.place(of: jobs[0]) == "jobs.receipt_default")
    }
  }

  @Test func `a young receipt stays, wherever it lies, until it is old`() async throws {
    try await PrunedStore.with { it async throws in
      let old = [try job(Self.lowest + "1"), JobRun(id: JobID()), try job(Self.highest + "1")]
      let young = [try job(Self.lowest + "2"), JobRun(id: JobID()), try job(Self.highest + "2")]
      try await it.write(old, at: it.later - 16 * Self.day)
      try await it.write(young, at: it.later - 14 * Self.day)
      let first = try await it.prune(now: it.later)
      #expect(first.partitionsDropped > 0 && first.receipts == 1)
      #expect(try await it.completed(old + young) == young)
      let second = try await it.prune(now: it.later + 2 * Self.day)
      #expect(second.receipts == 3)
      #expect(try await it.completed(old + young) == [])
    }
  }

  @Test func `a dead letter stays while it is open and for a month, and its receipt for a fortnight`() async throws {
    try await PrunedStore.with { it async throws in
      let letter = SampleJobs.letter(
        SampleJobs.full(), SampleJobs.deadLetterInfo(pool: "one", at: it.now.timeIntervalSince1970))
      let run = [letter.jobRun]
      try await it.index.record([letter])
      for days in [0, 400] as [Double] {
        let pruned = try await it.prune(now: it.later + days * Self.day)
        #expect(pruned.deadLetters == 0)
        #expect(try await it.completed(run) == run)
      }
      let end = it.later + 400 * Self.day
      #expect(try await it.index.retry(DeadLetterFilter(), by: "test").retried == 1)
      // The pruner sees the retry only now.
      _ = try await it.prune(now: end)
      #expect(try await it.completed(run) == run)
      // While the next run waits in the outbox, nothing of the job is forgotten.
      _ = try await it.prune(now: end + 16 * Self.day)
      #expect(try await it.completed(run) == run)
      let relayed = try await it.store.relayOutbox(olderThan: .zero, limit: 10) { $0.map(\.envelope.jobRun) }
      #expect(relayed == 1)
      let pruned = try await it.prune(now: end + 16 * Self.day)
      #expect(pruned.receipts == 1 && pruned.deadLetters == 0)
      #expect(try await it.completed(run) == [])
      #expect(try await it.prune(now: end + 31 * Self.day).deadLetters == 1)
    }
  }

  @Test func `archived letters go after a month, and open ones beside them stay`() async throws {
    try await PrunedStore.with { it async throws in
      let letters = (0..<3).map { _ in
        SampleJobs.letter(SampleJobs.full(), SampleJobs.deadLetterInfo(pool: "one", at: it.now.timeIntervalSince1970))
      }
      try await it.index.record(letters)
      #expect(try await it.index.archive(DeadLetterFilter(ids: [letters[0].jobRun.id]), by: "test") == 1)
      #expect(try await it.prune(now: it.now).deadLetters == 0)
      #expect(try await it.prune(now: it.now + 29 * Self.day).deadLetters == 0)
      #expect(try await it.prune(now: it.now + 31 * Self.day).deadLetters == 1)
      #expect(try await it.index.groups().map(\.count) == [2])
    }
  }

  @Test func `jobs that stand in the outbox or among the scheduled stay, and so do their receipts`() async throws {
    try await PrunedStore.with { it async throws in
      let (scheduled, waiting, other) = (SampleJobs.bare(), SampleJobs.bare(), SampleJobs.bare())
      let jobs = [scheduled, waiting, other].map(\.jobRun)
      try await it.store.schedule(scheduled, pool: "one", after: .seconds(100 * 86_400))
      try await it.complete(other.jobRun, followUps: [waiting])
      for job in jobs { try await it.complete(job) }
      // Out of their partition first, and then from the default one.
      for days in [0, 40] as [Double] {
        let pruned = try await it.prune(now: it.later + days * Self.day)
        #expect(pruned.receipts == 0)
        #expect(try await it.completed(jobs) == [scheduled, waiting].map(\.jobRun))
      }
      let counts = try await QueueCounts.read(it.pool)
      #expect(counts.scheduled == ["one": 1] && counts.outbox == 1)
    }
  }

  @Test func `start markers and audit rows go when they are old, but no marker of a job that goes on`() async throws {
    try await PrunedStore.with { it async throws in
      let (dead, going, scheduled) = (JobRun(id: JobID()), JobRun(id: JobID()), SampleJobs.bare())
      try await it.store.schedule(scheduled, pool: "one", after: .seconds(100 * 86_400))
      for (job, days) in [(dead, 20), (going, 20), (going, 1), (scheduled.jobRun, 20)] as [(JobRun, Double)] {
        try await it.pool.query(
          """
          INSERT INTO jobs.start_marker (job_id, run, node, at)
          VALUES (\(job.id.uuid), \(job.run), 'node', \(it.later - days * Self.day))
          """)
      }
      for days in [401, 399] as [Double] {
        try await it.pool.query(
          """
          INSERT INTO jobs.audit (at, who, action, target)
          VALUES (\(it.later - days * Self.day), 'test', 'pool.set', 'one')
          """)
      }
      let pruned = try await it.prune(now: it.later)
      #expect(pruned.startMarkers == 1 && pruned.auditRows == 1)
      var starts: [Int] = []
      for job in [dead, going, scheduled.jobRun] { starts.append(try await it.store.history(of: job).starts) }
      #expect(starts == [0, 2, 1])
    }
  }
}
