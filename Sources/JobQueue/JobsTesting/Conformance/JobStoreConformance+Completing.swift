internal import Foundation
internal import Jobs

extension JobStoreConformance {
  static var completingRules: [Rule] {
    [
      Rule("a job is completed once") { try await $0.completesOnce() },
      Rule("each run of a job is completed by itself") { try await $0.completesEachRun() },
      Rule("effects are visible after the commit and not before") { try await $0.commitsAtTheEnd() },
      Rule("an error of the body rolls back and is rethrown") { try await $0.rollsBackOnThrow() },
      Rule("a requested rollback leaves nothing, no follow-ups either, and is no error") {
        try await $0.rollsBackOnRequest()
      },
      Rule("of a batch, the runs without a receipt are open") { try await $0.opensRunsWithoutReceipt() },
      Rule("the body of a batch that was completed before does not run") { try await $0.skipsCompletedBatches() },
      Rule("the same job twice in a batch is completed once") { try await $0.completesDuplicatesOnce() },
      Rule("snoozed jobs of a batch are open again, the others are completed") {
        try await $0.removesSnoozedReceipts()
      },
      Rule("a cancelled job has its receipt") { try await $0.cancelsJobs() },
      Rule("follow-ups are committed with the job and returned") { try await $0.keepsFollowUps() },
      Rule("a follow-up with a due time is scheduled") { try await $0.schedulesFollowUps() },
    ]
  }

  private func completesOnce() async throws {
    let job = JobRun(id: JobID())
    let first = try await complete([job])
    try requireEqual(first.open, [job], "the open jobs of the first completion")
    let second = try await complete([job])
    try requireEqual(second.open, nil, "the open jobs of the second completion")
    try require(second.entries.isEmpty, "the second completion returned outbox entries")
    try await requireEffects(of: job, 1)
  }

  private func completesEachRun() async throws {
    let id = JobID()
    for run in 1...3 {
      let completed = try await complete([JobRun(id: id, run: run)])
      try requireEqual(completed.open, [JobRun(id: id, run: run)], "the open jobs of run \(run)")
    }
    let again = try await complete((1...3).map { JobRun(id: id, run: $0) })
    try requireEqual(again.open, nil, "the open jobs of all runs together, completed before")
  }

  private func commitsAtTheEnd() async throws {
    let job = JobRun(id: JobID())
    let early = Locked<[String]>([])
    _ = try await store.complete(receipts([job]), deadline: soon) { transaction, _ in
      try await record(transaction, "\(job)")
      let seen = try await effects()
      early.change { $0 = seen }
      return Completion()
    }
    try require(!early.value.contains("\(job)"), "the effect was visible before the commit")
    try await requireEffects(of: job, 1)
  }

  private func rollsBackOnThrow() async throws {
    let job = JobRun(id: JobID())
    do {
      _ = try await store.complete(receipts([job]), deadline: soon) { transaction, _ in
        try await record(transaction, "\(job)")
        throw TestFailure()
      }
      throw ConformanceFailure("the error was not rethrown")
    } catch is TestFailure {}
    try await requireEffects(of: job, 0)
    try requireEqual(try await complete([job]).open, [job], "the open jobs after the rollback")
    try await requireEffects(of: job, 1)
  }

  private func rollsBackOnRequest() async throws {
    let job = JobRun(id: JobID())
    let followUp = SampleJobs.bare()
    let completed = try await complete([job]) { completion in
      completion.followUps = [RoutedFollowUp(envelope: followUp, pool: "test.next", dueAt: nil)]
      completion.rollsBack = true
    }
    try require(completed.entries.isEmpty, "a rolled-back transaction returned outbox entries")
    try await requireEffects(of: job, 0)
    try await requireOutbox([])
    try requireEqual(try await complete([job]).open, [job], "the open jobs after the rollback")
  }

  private func opensRunsWithoutReceipt() async throws {
    let jobs = (0..<5).map { _ in JobRun(id: JobID()) }
    try await complete([jobs[1], jobs[3]])
    let completed = try await complete(jobs)
    try requireEqual(completed.open, [jobs[0], jobs[2], jobs[4]], "the open jobs of the batch")
    for job in jobs { try await requireEffects(of: job, 1) }
  }

  private func skipsCompletedBatches() async throws {
    let jobs = (0..<3).map { _ in JobRun(id: JobID()) }
    try await complete(jobs)
    try requireEqual(try await complete(jobs).open, nil, "the open jobs of the same batch again")
    for job in jobs { try await requireEffects(of: job, 1) }
  }

  private func completesDuplicatesOnce() async throws {
    let (twin, other) = (JobRun(id: JobID()), JobRun(id: JobID()))
    let completed = try await complete([twin, other, twin])
    try requireEqual(completed.open, [twin, other], "the open jobs of a batch with the same job twice")
    try await requireEffects(of: twin, 1)
  }

  private func removesSnoozedReceipts() async throws {
    let jobs = (0..<3).map { _ in JobRun(id: JobID()) }
    try await complete(jobs) { $0.outcomes[jobs[1]] = .snoozed(for: .zero, reason: "not yet") }
    try requireEqual(try await complete(jobs).open, [jobs[1]], "the open jobs after one was snoozed")
  }

  private func cancelsJobs() async throws {
    let jobs = (0..<2).map { _ in JobRun(id: JobID()) }
    try await complete(jobs) { $0.outcomes[jobs[0]] = .cancelled(reason: "not wanted: it's \"late\"") }
    try requireEqual(try await complete(jobs).open, nil, "the open jobs after one was cancelled")
  }

  private func keepsFollowUps() async throws {
    let followUps = [SampleJobs.full(attempt: 2), SampleJobs.bare()].map(\.asCounted)
    let completed = try await complete([JobRun(id: JobID())]) { completion in
      completion.followUps = followUps.map { RoutedFollowUp(envelope: $0, pool: "test.next", dueAt: nil) }
    }
    try requireEqual(completed.entries.map(\.envelope), followUps, "the returned outbox entries")
    try requireEqual(Set(completed.entries.map(\.pool)), ["test.next"], "their pools")
    let kept = try await store.outbox()
    let byRun = Dictionary(kept.map { ($0.envelope.jobRun, $0.envelope) }) { first, _ in first }
    try requireEqual(kept.count, followUps.count, "the number of outbox entries")
    for followUp in followUps { try requireEqual(byRun[followUp.jobRun], followUp, "an envelope in the outbox") }
    try requireEqual(Set(kept.map(\.pool)), ["test.next"], "the pools in the outbox")
  }

  private func schedulesFollowUps() async throws {
    let (late, due) = (SampleJobs.full(), SampleJobs.bare())
    let completed = try await complete([JobRun(id: JobID())]) { completion in
      completion.followUps = [
        RoutedFollowUp(envelope: late, pool: "test.next", dueAt: Date(timeIntervalSinceNow: 3_600)),
        RoutedFollowUp(envelope: due, pool: "test.next", dueAt: Date(timeIntervalSinceNow: -60)),
      ]
    }
    try require(
      completed.entries.isEmpty, "scheduled follow-ups were returned as outbox entries")
    try await requireOutbox([])
    let released = try await store.releaseDueJobs(limit: 10)
    try requireEqual(released.map(\.envelope), [due.asCounted], "the follow-ups that are due")
    try requireEqual(released.map(\.pool), ["test.next"], "their pools")
    try await requireOutbox([due])
  }
}
