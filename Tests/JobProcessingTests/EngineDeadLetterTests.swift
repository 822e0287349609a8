import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// From a death to the index, and back by an operator's wish.
@Suite(.timeLimit(.minutes(1)))
struct EngineDeadLetterTests {
  /// An errand that is dead already, with its certificate, in the broker's dead letters.
  private func bury(_ name: String, _ platform: EnginePlatform) async throws -> JobEnvelope {
    let job = try JobCodec.envelope(for: Errand(name: name), tenant: nil)
    try await platform.enqueue([job], to: .dead(pool: errands, SampleJobs.certificate(pool: errands)))
    return job
  }

  @Test func `dead letters are indexed with their certificates and acknowledged`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      let job = try await bury("a", platform)
      let letter = try await platform.onlyLetter()
      #expect(letter == SampleJobs.letter(job, SampleJobs.certificate(pool: errands)))
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .dead)
    }
  }

  @Test func `while the index is away dead letters wait in the broker`() async throws {
    let platform = EnginePlatform()
    platform.ledger.isAvailable = false
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      let jobs = [try await bury("a", platform), try await bury("b", platform)]
      try await eventually("they are taken") { platform.broker.unsettledDeadCount(of: errands) == 2 }
      #expect(platform.broker.acknowledged.isEmpty)
      platform.ledger.isAvailable = true
      try await platform.eventuallyIndexed()
      let letters = try await platform.letters.letters(DeadLetterFilter())
      #expect(Set(letters.map(\.jobRun)) == Set(jobs.map(\.jobRun)))
    }
  }

  @Test func `dead letters that could not be indexed before the end are given back`() async throws {
    let platform = EnginePlatform()
    platform.ledger.isAvailable = false
    try await platform.withNode(grace: .milliseconds(200), errands: ErrandWorker.simple) { node async throws in
      let job = try await bury("a", platform)
      try await eventually("it is taken") { platform.broker.unsettledDeadCount(of: errands) == 1 }
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.dead(of: errands).map(\.envelope) == [job])
    }
  }

  @Test func `the letter of a job that was done after all is dropped`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      try await platform.enqueue([job], to: .dead(pool: errands, SampleJobs.certificate(pool: errands)))
      try await platform.eventuallyIndexed()
      #expect(try await platform.letters.letters(DeadLetterFilter()).isEmpty)
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .done)
    }
  }

  @Test func `a late copy of a dead job is acknowledged and has no effect`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      let job = try await bury("a", platform)
      _ = try await platform.onlyLetter()
      try await platform.enqueue([job])
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects.isEmpty)
      #expect(platform.broker.acknowledged == [job.jobRun, job.jobRun])
    }
  }

  @Test func `a retried letter runs as its next run, from the first attempt, and is done`() async throws {
    let platform = EnginePlatform(maxAttempts: 2)
    let isMended = Locked(false)
    let seen = Locked<[String]>([])
    try await platform.withNode(
      errands: { job, context in
        seen.change { $0.append("run \(context.info.jobRun.run), attempt \(context.info.attempt)") }
        guard isMended.value else { throw Mishap() }
        return try await ErrandWorker.simple(job, context)
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      platform.broker.releaseRetries()
      let letter = try await platform.onlyLetter()
      isMended.change { $0 = true }
      let result = try await platform.letters.retry(DeadLetterFilter(ids: [letter.jobRun.id]), by: "test")
      #expect(result == RedriveResult(retried: 1, refused: 0))
      try await eventually("the job is done") { platform.ledger.effects == ["a"] }
      #expect(seen.value == ["run 1, attempt 1", "run 1, attempt 2", "run 2, attempt 1"])
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .dead)
      #expect(platform.ledger.receipt(of: JobRun(id: job.id, run: 2))?.outcome == .done)
      #expect(try await platform.letters.letters(DeadLetterFilter()).isEmpty)
      try await eventually("the outbox is empty") { platform.ledger.outbox.isEmpty }
    }
  }

  @Test func `a retried letter that dies again is a letter of its next run`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(errands: { _, _ in throw Mishap() }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      #expect(try await platform.onlyLetter().jobRun == job.jobRun)
      _ = try await platform.letters.retry(DeadLetterFilter(), by: "test")
      try await eventually("the second run has died") {
        try await platform.letters.letters(DeadLetterFilter()).map(\.jobRun) == [JobRun(id: job.id, run: 2)]
      }
    }
  }

  @Test func `a dead letter whose enqueuing is in doubt is enqueued again and is one letter`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    platform.broker.fail(with: .inDoubt(isKept: true)) { if case .dead = $0.destination { true } else { false } }
    try await platform.withNode(errands: { _, _ in throw Mishap() }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == job.jobRun)
    }
  }
}
