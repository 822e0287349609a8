import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Troubles of the store, and attempts that take too long: none of them costs an effect, or makes a second one.
@Suite(.timeLimit(.minutes(1)))
struct EngineStoreOutageTests {
  /// Does echoJobs and keeps the attempts it saw.
  private func worker(_ attempts: Locked<[Int]>) -> EchoWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      return try await EchoWorker.simple(job, context)
    }
  }

  @Test func `while the store is away the transaction is run again, and the job spends no attempt`() async throws {
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

  @Test func `a commit whose answer was lost has one effect`() async throws {
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

  @Test func `a commit in doubt that did not happen is made up for`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    platform.store.fail(next: .complete, with: .inDoubt, times: 2)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a transaction that lost against another is run again, within the same attempt`() async throws {
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

  @Test func `an attempt that outlasts its timeout is rolled back before its retry is enqueued`() async throws {
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

  @Test func `an attempt that takes no notice of its timeout commits nothing afterwards`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200), maxAttempts: 1)
    let never = Gate()
    try await platform.withNode(
      echoJobs: { job, context in
        try await context.complete { transaction, _ in
          transaction.record(job.name)
          // Ends when it is cancelled, and goes on as if nothing had happened.
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

  @Test func `a retry is enqueued again where the broker's answer was lost, and has one effect`() async throws {
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

  @Test func `a failed job is not let go of while nobody keeps its retry`() async throws {
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
      try await eventually("the job is in hand") { platform.broker.unsettledCount(in: echoJobs) == 1 }
      platform.broker.isReady = false
      gate.open()
      try await eventually("its retry was turned away twice") { platform.broker.notEnqueued.count >= 2 }
      #expect(platform.broker.unsettledCount(in: echoJobs) == 1)
      platform.broker.isReady = true
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
    }
  }
}
