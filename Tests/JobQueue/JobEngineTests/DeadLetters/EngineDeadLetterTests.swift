import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Dead letters: indexed, retried by an operator, and dead-lettered again.
@Suite(.timeLimit(.minutes(1)))
struct EngineDeadLetterTests {
  /// Puts an echo job among the broker's dead letters, with its dead letter info.
  private func deadLetter(_ name: String, _ platform: EnginePlatform) async throws -> JobEnvelope {
    let job = try JobCodec.envelope(for: EchoJob(name: name), tenant: nil)
    try await platform.enqueue([job], to: .dead(pool: echoJobs, SampleJobs.deadLetterInfo(pool: echoJobs)))
    return job
  }

  @Test func `dead letters are indexed with their dead letter info and acknowledged`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await deadLetter("a", platform)
      let letter = try await platform.onlyLetter()
      #expect(letter == SampleJobs.letter(job, SampleJobs.deadLetterInfo(pool: echoJobs)))
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .dead)
    }
  }

  @Test func `while the index is unavailable dead letters stay at the broker`() async throws {
    let platform = EnginePlatform()
    platform.store.isAvailable = false
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let jobs = [try await deadLetter("a", platform), try await deadLetter("b", platform)]
      try await eventually("both are delivered") { platform.broker.unsettledDeadLetterCount(of: echoJobs) == 2 }
      #expect(platform.broker.acknowledged.isEmpty)
      platform.store.isAvailable = true
      try await platform.eventuallyIndexed()
      let letters = try await platform.deadLetterIndex.letters(DeadLetterFilter())
      #expect(Set(letters.map(\.jobRun)) == Set(jobs.map(\.jobRun)))
    }
  }

  @Test func `dead letters that cannot be indexed before the node stops are requeued`() async throws {
    let platform = EnginePlatform()
    platform.store.isAvailable = false
    try await platform.withNode(grace: .milliseconds(200), echoJobs: EchoWorker.simple) { node async throws in
      let job = try await deadLetter("a", platform)
      try await eventually("it is delivered") { platform.broker.unsettledDeadLetterCount(of: echoJobs) == 1 }
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.dead(of: echoJobs).map(\.envelope) == [job])
    }
  }

  @Test func `the dead letter of a job that has completed is dropped`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      try await platform.enqueue([job], to: .dead(pool: echoJobs, SampleJobs.deadLetterInfo(pool: echoJobs)))
      try await platform.eventuallyIndexed()
      #expect(try await platform.deadLetterIndex.letters(DeadLetterFilter()).isEmpty)
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a late copy of a dead job is acknowledged and has no effect`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await deadLetter("a", platform)
      _ = try await platform.onlyLetter()
      try await platform.enqueue([job])
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.isEmpty)
      #expect(platform.broker.acknowledged == [job.jobRun, job.jobRun])
    }
  }

  @Test func `a retried dead letter starts its next run at the first attempt, and completes`() async throws {
    let platform = EnginePlatform(maxAttempts: 2)
    let isFixed = Locked(false)
    let seen = Locked<[String]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append("run \(context.info.jobRun.run), attempt \(context.info.attempt)") }
        guard isFixed.value else { throw TransientError() }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      platform.broker.releaseRetries()
      let letter = try await platform.onlyLetter()
      isFixed.change { $0 = true }
      let result = try await platform.deadLetterIndex.retry(DeadLetterFilter(ids: [letter.jobRun.id]), by: "test")
      #expect(result == RedriveResult(retried: 1, skipped: 0))
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
      #expect(seen.value == ["run 1, attempt 1", "run 1, attempt 2", "run 2, attempt 1"])
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .dead)
      #expect(platform.store.receipt(of: JobRun(id: job.id, run: 2))?.outcome == .completed)
      #expect(try await platform.deadLetterIndex.letters(DeadLetterFilter()).isEmpty)
      try await eventually("the outbox is empty") { platform.store.outbox.isEmpty }
    }
  }

  @Test func `a retried job that is dead-lettered again is a dead letter of its next run`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(echoJobs: { _, _ in throw TransientError() }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      #expect(try await platform.onlyLetter().jobRun == job.jobRun)
      _ = try await platform.deadLetterIndex.retry(DeadLetterFilter(), by: "test")
      try await eventually("the second run is dead") {
        try await platform.deadLetterIndex.letters(DeadLetterFilter()).map(\.jobRun) == [JobRun(id: job.id, run: 2)]
      }
    }
  }

  @Test func `a dead letter whose enqueueing is in doubt is enqueued again and indexed once`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    platform.broker.fail(with: .inDoubt(isEnqueued: true)) { if case .dead = $0.destination { true } else { false } }
    try await platform.withNode(echoJobs: { _, _ in throw TransientError() }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == job.jobRun)
    }
  }
}
