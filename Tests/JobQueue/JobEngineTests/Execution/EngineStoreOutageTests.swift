import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Failures of the store, and attempts that exceed their timeout: none loses an effect or repeats one.
@Suite(.timeLimit(.minutes(1)))
struct EngineStoreOutageTests {
  /// Completes echo jobs and records their attempts.
  private func worker(_ attempts: Locked<[Int]>) -> EchoWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      return try await EchoWorker.simple(job, context)
    }
  }

  @Test func `while the store is unavailable the transaction is retried, and the job spends no attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: .complete, with: .unavailable("gone"), times: 3)
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a commit in doubt that took effect has one effect`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: .complete, with: .inDoubt, takesEffect: true)
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
    }
  }

  @Test func `a commit in doubt that did not take effect is repeated`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    platform.store.fail(next: .complete, with: .inDoubt, times: 2)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a transaction that hits contention is retried within the same attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: .complete, with: .contention, times: 5)
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["a"])
      #expect(platform.store.rollbacks == 5)
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `an attempt that exceeds its timeout is rolled back before its retry is enqueued`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200))
    let never = Gate()
    try await platform.withNode(
      echoJobs: { job, context in
        try await context.complete { transaction, _ in
          transaction.record("\(job.name) \(context.info.attempt)")
          if context.info.attempt == 1 { try await never.wait() }
          return .completed
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      #expect(platform.store.rollbacks == 1)
      #expect(platform.store.receipt(of: job.jobRun) == nil)
      #expect(platform.broker.retries.first?.envelope.attempt == 2)
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a 2"] }
    }
  }

  @Test func `an attempt that ignores its cancellation at the timeout commits nothing afterwards`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200), maxAttempts: 1)
    let never = Gate()
    try await platform.withNode(
      echoJobs: { job, context in
        try await context.complete { transaction, _ in
          transaction.record(job.name)
          // Returns when the attempt is cancelled, and then ignores the cancellation.
          try? await never.wait()
          return .completed
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .attemptsExhausted)
      #expect(letter.deadLetterInfo.detail.contains("longer than"))
      #expect(platform.store.effects.isEmpty)
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .dead)
    }
  }

  @Test func `a retry whose enqueueing is in doubt is enqueued again, and has one effect`() async throws {
    let platform = EnginePlatform()
    platform.broker.fail(with: .inDoubt(isEnqueued: true)) { if case .retry = $0.destination { true } else { false } }
    try await platform.withNode(
      echoJobs: { job, context in
        if context.info.attempt == 1 { throw TransientError() }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("two copies wait") { platform.broker.retries.count == 2 }
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.acknowledged == [job.jobRun, job.jobRun, job.jobRun])
    }
  }

  @Test func `a failed job is not acknowledged before the broker holds its retry`() async throws {
    let platform = EnginePlatform()
    let gate = Gate()
    try await platform.withNode(
      echoJobs: { job, context in
        guard context.info.attempt == 1 else { return try await EchoWorker.simple(job, context) }
        try await gate.wait()
        throw TransientError()
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job is delivered") { platform.broker.unsettledCount(in: echoJobs) == 1 }
      platform.broker.isReady = false
      gate.open()
      try await eventually("enqueueing its retry has failed twice") { platform.broker.notEnqueued.count >= 2 }
      #expect(platform.broker.unsettledCount(in: echoJobs) == 1)
      platform.broker.isReady = true
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
    }
  }
}
