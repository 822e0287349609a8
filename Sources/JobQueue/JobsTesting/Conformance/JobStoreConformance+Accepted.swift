internal import Foundation
internal import Jobs

extension JobStoreConformance {
  static var acceptedRules: [Rule] {
    [
      Rule("a job from the broker is recorded until it ends") { try await $0.recordsUntilTheEnd() },
      Rule("a job that has ended, or is recorded, is not recorded again") { try await $0.recordsOnce() },
      Rule("a deleted outbox entry is recorded until its job ends") { try await $0.recordsDeletedEntries() },
      Rule("a published outbox entry is recorded until its job ends") { try await $0.recordsRelayedEntries() },
      Rule("a snoozed job stays recorded") { try await $0.keepsSnoozed() },
    ]
  }

  static var flowRules: [Rule] {
    [
      Rule("a run counts as accepted and as ended once, recorded or not") { try await $0.countsOnce() },
      Rule("follow-ups count when their transaction commits, and only then") { try await $0.countsFollowUps() },
      Rule("cancelled and snoozed jobs of a batch are told apart") { try await $0.countsOutcomes() },
      Rule("a job that ends in another pool counts there") { try await $0.countsWhereItEnds() },
      Rule("a job that ends while it is recorded counts once") { try await $0.countsRacesOnce() },
      Rule("a scheduled job that is released and deleted from the outbox counts once") {
        try await $0.countsReleasedOnce()
      },
    ]
  }

  private var testPool: PoolName { "test.pool" }

  private func requireAccepted(_ jobs: [JobRun], _ when: String) async throws {
    try requireEqual(Set(try await accepted()), Set(jobs), "the recorded runs \(when)")
  }

  private func requireFlow(_ expected: JobFlow, of pool: PoolName = "test.pool", _ when: String) async throws {
    let flow = try await store.sweepAccepted(thoroughly: true)[pool] ?? JobFlow()
    try requireEqual(flow, expected, "the counts of \(pool) \(when)")
  }

  private func recordsUntilTheEnd() async throws {
    let (one, other) = (SampleJobs.full(), SampleJobs.bare())
    let jobs = [AcceptedJob(one, pool: testPool), AcceptedJob(other, pool: testPool)]
    try requireEqual(try await store.recordAccepted(jobs), 2, "the number of recorded jobs")
    try await requireAccepted([one.jobRun, other.jobRun], "after recording")
    try await complete([one.jobRun])
    try await requireAccepted([other.jobRun], "after one has ended")
    try await complete([other.jobRun]) { $0.outcomes = [other.jobRun: .cancelled(reason: "not wanted")] }
    try await requireAccepted([], "after both have ended")
  }

  private func recordsOnce() async throws {
    let (ended, open) = (SampleJobs.full(), SampleJobs.bare())
    try await complete([ended.jobRun])
    let reference = AcceptedReference(source: "test", eventIDs: ["one", "two\nlines"])
    let jobs = [
      AcceptedJob(ended, pool: testPool), AcceptedJob(open, pool: testPool, reference: reference),
      AcceptedJob(open, pool: testPool),
    ]
    try requireEqual(try await store.recordAccepted(jobs), 1, "the number of recorded jobs")
    try requireEqual(try await store.recordAccepted(jobs), 0, "the number of jobs recorded again")
    try requireEqual(try await store.recordAccepted([]), 0, "the number of no jobs")
    try await requireAccepted([open.jobRun], "after recording twice")
  }

  private func recordsDeletedEntries() async throws {
    let jobs = [SampleJobs.bare(), SampleJobs.full(), SampleJobs.bare()]
    try await fillOutbox(jobs)
    try await requireAccepted([], "while the entries are in the outbox")
    try await complete([jobs[2].jobRun])
    try await store.deleteFromOutbox(jobs.map(\.jobRun))
    try await requireAccepted([jobs[0].jobRun, jobs[1].jobRun], "after the entries were deleted")
    try await complete([jobs[0].jobRun, jobs[1].jobRun])
    try await requireAccepted([], "after all have ended")
  }

  private func recordsRelayedEntries() async throws {
    let jobs = [SampleJobs.bare(), SampleJobs.full()]
    try await fillOutbox(jobs)
    _ = try await store.relayOutbox(olderThan: .zero, limit: 10) { _ in [jobs[0].jobRun] }
    try await requireAccepted([jobs[0].jobRun], "after one was published")
    try await complete([jobs[0].jobRun])
    try await requireAccepted([], "after it has ended")
  }

  private func keepsSnoozed() async throws {
    let (snoozed, done) = (SampleJobs.bare(), SampleJobs.bare())
    _ = try await store.recordAccepted([snoozed, done].map { AcceptedJob($0, pool: testPool) })
    try await complete([snoozed.jobRun, done.jobRun]) {
      $0.outcomes = [snoozed.jobRun: .snoozed(for: .seconds(1), reason: "later"), done.jobRun: .completed]
    }
    try await requireAccepted([snoozed.jobRun], "after one was snoozed")
    try await complete([snoozed.jobRun]) { $0.rollsBack = true }
    try await requireAccepted([snoozed.jobRun], "after it was rolled back")
    try await requireFlow(JobFlow(accepted: 2, completed: 1), "after it was rolled back")
  }

  private func countsOnce() async throws {
    let (recorded, unrecorded, open) = (SampleJobs.bare(), SampleJobs.full(), SampleJobs.bare())
    _ = try await store.recordAccepted([recorded, open].map { AcceptedJob($0, pool: testPool) })
    try await requireFlow(JobFlow(accepted: 2), "after recording")
    // One of them twice in a batch.
    try await complete([recorded.jobRun, unrecorded.jobRun, unrecorded.jobRun])
    try await requireFlow(JobFlow(accepted: 3, completed: 2), "after two have ended")
    try await complete([recorded.jobRun, unrecorded.jobRun])
    _ = try await store.recordAccepted([recorded, unrecorded, open].map { AcceptedJob($0, pool: testPool) })
    try await requireFlow(JobFlow(accepted: 3, completed: 2), "after copies of them")
  }

  private func countsFollowUps() async throws {
    let (first, second) = (JobRun(id: JobID()), JobRun(id: JobID()))
    let (now, later) = (SampleJobs.bare(), SampleJobs.full())
    try await complete([first]) {
      $0.followUps = [
        RoutedFollowUp(envelope: now, pool: "test.next", dueAt: nil),
        RoutedFollowUp(envelope: later, pool: "test.next", dueAt: Date(timeIntervalSinceNow: -1)),
      ]
    }
    try await complete([second]) {
      $0.followUps = [RoutedFollowUp(envelope: SampleJobs.bare(), pool: "test.next", dueAt: nil)]
      $0.rollsBack = true
    }
    try await requireFlow(JobFlow(accepted: 1, completed: 1), "that the follow-ups come from")
    try await requireFlow(JobFlow(accepted: 2), of: "test.next", "after the commit")
    let released = try await store.releaseDueJobs(limit: 10)
    try require(released.allSatisfy(\.envelope.isCounted), "a follow-up is not marked as counted")
    try await store.deleteFromOutbox([now.jobRun, later.jobRun])
    try await requireFlow(JobFlow(accepted: 2), of: "test.next", "after they were published")
    let receipts = [now, later].map {
      JobReceipt(jobRun: $0.jobRun, kind: $0.kind, pool: "test.next", isCounted: true)
    }
    _ = try await store.complete(receipts, deadline: soon) { _, _ in Completion() }
    try await requireFlow(JobFlow(accepted: 2, completed: 2), of: "test.next", "after they have ended")
    try await requireAccepted([], "after they have ended")
  }

  private func countsOutcomes() async throws {
    let jobs = (0..<4).map { _ in JobRun(id: JobID()) }
    try await complete(jobs) {
      $0.outcomes = [
        jobs[0]: .completed, jobs[1]: .cancelled(reason: "stale"), jobs[2]: .snoozed(for: .seconds(1), reason: "later"),
        jobs[3]: .cancelled(reason: "stale"),
      ]
    }
    try await requireFlow(JobFlow(accepted: 3, completed: 1, cancelled: 2), "after a batch")
  }

  private func countsWhereItEnds() async throws {
    let job = SampleJobs.bare()
    _ = try await store.recordAccepted([AcceptedJob(job, pool: "test.old")])
    try await requireFlow(JobFlow(accepted: 1), of: "test.old", "after recording")
    try await complete([job.jobRun])
    try await requireFlow(JobFlow(), of: "test.old", "after it has ended elsewhere")
    try await requireFlow(JobFlow(accepted: 1, completed: 1), "where it has ended")
  }

  private func countsRacesOnce() async throws {
    let jobs = (0..<40).map { _ in SampleJobs.bare() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for job in jobs {
        group.addTask {
          _ = try await store.complete(receipts([job.jobRun]), deadline: soon) { _, _ in
            for _ in 0..<3 { await Task.yield() }
            return Completion()
          }
        }
        group.addTask { _ = try await store.recordAccepted([AcceptedJob(job, pool: testPool)]) }
      }
      group.addTask { _ = try await store.sweepAccepted(thoroughly: false) }
      try await group.waitForAll()
    }
    try await requireFlow(JobFlow(accepted: 40, completed: 40), "after the race")
    try await requireAccepted([], "after the race")
  }

  private func countsReleasedOnce() async throws {
    // A job of the front that was retried by way of the store, and was never recorded.
    let job = SampleJobs.bare()
    try await store.schedule(job, pool: testPool, after: .seconds(-1))
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireFlow(JobFlow(), "while it is in the outbox")
    try await store.deleteFromOutbox([job.jobRun])
    try await requireFlow(JobFlow(accepted: 1), "after it was published")
    try await complete([job.jobRun])
    try await requireFlow(JobFlow(accepted: 1, completed: 1), "after it has ended")
  }
}
