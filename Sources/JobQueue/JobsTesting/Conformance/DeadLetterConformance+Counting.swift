internal import Foundation
internal import Jobs

extension DeadLetterConformance {
  static var countingRules: [Rule] {
    [
      Rule("a dead job counts as accepted and dead once") { try await $0.countsDeadOnce() },
      Rule("an operator's retry counts as accepted again, archiving as nothing") { try await $0.countsRetries() },
      Rule("an unreadable message counts as accepted and dead") { try await $0.countsUnreadable() },
    ]
  }

  private func requireFlow(_ expected: JobFlow, of pool: PoolName = "test.pool", _ when: String) async throws {
    let flow = try await store.sweepAccepted(thoroughly: true)[pool] ?? JobFlow()
    try requireEqual(flow, expected, "the counts of \(pool) \(when)")
  }

  private func countsDeadOnce() async throws {
    let (recorded, unrecorded, counted, done) = (
      SampleJobs.full(), SampleJobs.full(), SampleJobs.full().asCounted, SampleJobs.full()
    )
    _ = try await store.recordAccepted([recorded, done].map { AcceptedJob($0, pool: "test.old") })
    _ = try await complete(done.jobRun)
    let letters = [recorded, unrecorded, counted, done].map { letter($0) }
    try await index.record(letters)
    try await requireFlow(JobFlow(accepted: 3, completed: 1, dead: 3), "after three have died")
    try await requireFlow(JobFlow(), of: "test.old", "where two of them were accepted")
    try await index.record(letters)
    _ = try await complete(recorded.jobRun)
    try await requireFlow(JobFlow(accepted: 3, completed: 1, dead: 3), "after copies of them")
    _ = try await store.recordAccepted([AcceptedJob(recorded, pool: "test.pool")])
    try await requireFlow(JobFlow(accepted: 3, completed: 1, dead: 3), "after a late record")
  }

  private func countsRetries() async throws {
    let (retried, archived) = (SampleJobs.full(), SampleJobs.full())
    try await index.record([letter(retried), letter(archived)])
    _ = try await index.archive(DeadLetterFilter(ids: [archived.id]), by: "test")
    _ = try await index.retry(DeadLetterFilter(), by: "test")
    try await requireFlow(JobFlow(accepted: 3, dead: 2), "after the retry")
    guard let next = try await store.outbox().first?.envelope else {
      throw ConformanceFailure("the retry is not in the outbox")
    }
    try require(next.isCounted, "the retry is not marked as counted")
    try await store.deleteFromOutbox([next.jobRun])
    let receipt = JobReceipt(jobRun: next.jobRun, kind: next.kind, pool: pool, isCounted: next.isCounted)
    _ = try await store.complete([receipt], deadline: .now + .seconds(10)) { _, _ in Completion() }
    try await requireFlow(JobFlow(accepted: 3, completed: 1, dead: 2), "after the retry has ended")
  }

  private func countsUnreadable() async throws {
    let run = JobRun(id: JobID(), run: 0)
    let info = SampleJobs.deadLetterInfo(pool: pool, reason: .unreadable)
    let letter = DeadLetter(jobRun: run, envelope: nil, deadLetterInfo: info, body: Data("?".utf8))
    try await index.record([letter])
    try await index.record([letter])
    try await requireFlow(JobFlow(accepted: 1, dead: 1), "after it was indexed twice")
  }
}
