internal import Foundation
internal import Jobs

extension LedgerConformance {
  static var closingRules: [Rule] {
    [
      Rule("a job is closed once") { try await $0.closesOnce() },
      Rule("each run of a job is closed for itself") { try await $0.closesEachRun() },
      Rule("effects can be seen after the commit and not before") { try await $0.commitsAtTheEnd() },
      Rule("what the body throws rolls back and is thrown on") { try await $0.rollsBackOnThrow() },
      Rule("a rollback that was asked for leaves nothing, no follow-ups either, and is no error") {
        try await $0.rollsBackOnWish()
      },
      Rule("of a batch, those without a receipt are open") { try await $0.opensTheRest() },
      Rule("a batch that was closed before does not run") { try await $0.skipsClosedBatches() },
      Rule("the same job twice in a batch is closed once") { try await $0.closesTwinsOnce() },
      Rule("withdrawn jobs are open again, and the rest of their batch is closed") { try await $0.withdraws() },
      Rule("a discarded job is closed") { try await $0.discards() },
      Rule("follow-ups are committed with the job and returned") { try await $0.keepsFollowUps() },
      Rule("a follow-up with a time waits for it") { try await $0.delaysFollowUps() },
    ]
  }

  private func closesOnce() async throws {
    let job = JobRun(id: JobID())
    let first = try await close([job])
    try requireEqual(first.open, [job], "the open jobs of the first closing")
    let second = try await close([job])
    try requireEqual(second.open, nil, "the open jobs of the second closing")
    try require(second.entries.isEmpty, "the second closing returned outbox entries")
    try await requireEffects(of: job, 1)
  }

  private func closesEachRun() async throws {
    let id = JobID()
    for run in 1...3 {
      let closed = try await close([JobRun(id: id, run: run)])
      try requireEqual(closed.open, [JobRun(id: id, run: run)], "the open jobs of run \(run)")
    }
    let again = try await close((1...3).map { JobRun(id: id, run: $0) })
    try requireEqual(again.open, nil, "the open jobs of all runs together, closed before")
  }

  private func commitsAtTheEnd() async throws {
    let job = JobRun(id: JobID())
    let early = Shared<[String]>([])
    _ = try await ledger.close(receipts([job]), deadline: soon) { transaction, _ in
      try await record(transaction, "\(job)")
      let seen = try await effects()
      early.change { $0 = seen }
      return JobClosing()
    }
    try require(!early.value.contains("\(job)"), "the effect could be seen before the commit")
    try await requireEffects(of: job, 1)
  }

  private func rollsBackOnThrow() async throws {
    let job = JobRun(id: JobID())
    do {
      _ = try await ledger.close(receipts([job]), deadline: soon) { transaction, _ in
        try await record(transaction, "\(job)")
        throw Refusal()
      }
      throw ConformanceFailure("nothing was thrown on")
    } catch is Refusal {}
    try await requireEffects(of: job, 0)
    try requireEqual(try await close([job]).open, [job], "the open jobs after the rollback")
    try await requireEffects(of: job, 1)
  }

  private func rollsBackOnWish() async throws {
    let job = JobRun(id: JobID())
    let follower = SampleJobs.bare()
    let closed = try await close([job]) { closing in
      closing.followUps = [RoutedFollowUp(envelope: follower, pool: "test.next", dueAt: nil)]
      closing.rollsBack = true
    }
    try require(closed.entries.isEmpty, "a rolled-back transaction returned outbox entries")
    try await requireEffects(of: job, 0)
    try await requireOutbox([])
    try requireEqual(try await close([job]).open, [job], "the open jobs after the rollback")
  }

  private func opensTheRest() async throws {
    let jobs = (0..<5).map { _ in JobRun(id: JobID()) }
    try await close([jobs[1], jobs[3]])
    let closed = try await close(jobs)
    try requireEqual(closed.open, [jobs[0], jobs[2], jobs[4]], "the open jobs of the batch")
    for job in jobs { try await requireEffects(of: job, 1) }
  }

  private func skipsClosedBatches() async throws {
    let jobs = (0..<3).map { _ in JobRun(id: JobID()) }
    try await close(jobs)
    try requireEqual(try await close(jobs).open, nil, "the open jobs of the same batch again")
    for job in jobs { try await requireEffects(of: job, 1) }
  }

  private func closesTwinsOnce() async throws {
    let (twin, other) = (JobRun(id: JobID()), JobRun(id: JobID()))
    let closed = try await close([twin, other, twin])
    try requireEqual(closed.open, [twin, other], "the open jobs of a batch with the same job twice")
    try await requireEffects(of: twin, 1)
  }

  private func withdraws() async throws {
    let jobs = (0..<3).map { _ in JobRun(id: JobID()) }
    try await close(jobs) { $0.withdrawn = [jobs[1]] }
    try requireEqual(try await close(jobs).open, [jobs[1]], "the open jobs after one was withdrawn")
  }

  private func discards() async throws {
    let jobs = (0..<2).map { _ in JobRun(id: JobID()) }
    try await close(jobs) { $0.discarded = [jobs[0]: "not wanted: it's \"late\""] }
    try requireEqual(try await close(jobs).open, nil, "the open jobs after one was discarded")
  }

  private func keepsFollowUps() async throws {
    let followers = [SampleJobs.full(attempt: 2), SampleJobs.bare()]
    let closed = try await close([JobRun(id: JobID())]) { closing in
      closing.followUps = followers.map { RoutedFollowUp(envelope: $0, pool: "test.next", dueAt: nil) }
    }
    try requireEqual(closed.entries.map(\.envelope), followers, "the returned outbox entries")
    try requireEqual(Set(closed.entries.map(\.pool)), ["test.next"], "their pools")
    let kept = try await outbox()
    let byRun = Dictionary(kept.map { ($0.envelope.jobRun, $0.envelope) }) { first, _ in first }
    try requireEqual(kept.count, followers.count, "the number of outbox entries")
    for follower in followers { try requireEqual(byRun[follower.jobRun], follower, "an envelope in the outbox") }
    try requireEqual(Set(kept.map(\.pool)), ["test.next"], "the pools in the outbox")
  }

  private func delaysFollowUps() async throws {
    let (late, due) = (SampleJobs.full(), SampleJobs.bare())
    let closed = try await close([JobRun(id: JobID())]) { closing in
      closing.followUps = [
        RoutedFollowUp(envelope: late, pool: "test.next", dueAt: Date(timeIntervalSinceNow: 3_600)),
        RoutedFollowUp(envelope: due, pool: "test.next", dueAt: Date(timeIntervalSinceNow: -60)),
      ]
    }
    try require(closed.entries.isEmpty, "follow-ups with a time were returned as if they were to be enqueued at once")
    try await requireOutbox([])
    let released = try await ledger.releaseDueJobs(limit: 10)
    try requireEqual(released.map(\.envelope), [due], "the follow-ups that are due")
    try requireEqual(released.map(\.pool), ["test.next"], "their pools")
    try await requireOutbox([due])
  }
}
