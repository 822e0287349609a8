import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// Troubles of the ledger, and attempts that take too long: none of them costs an effect, or makes a second one.
@Suite(.timeLimit(.minutes(1)))
struct EngineLedgerTests {
  /// Does errands and keeps the attempts it saw.
  private func worker(_ attempts: Locked<[Int]>) -> ErrandWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      return try await ErrandWorker.simple(job, context)
    }
  }

  @Test func `while the ledger is away the transaction is run again, and the job spends no attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: .close, with: .unavailable("gone"), times: 3)
    try await platform.withNode(errands: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a commit whose answer was lost has one effect`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: .close, with: .inDoubt, takesEffect: true)
    try await platform.withNode(errands: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
    }
  }

  @Test func `a commit in doubt that did not happen is made up for`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    platform.ledger.fail(next: .close, with: .inDoubt, times: 2)
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .done)
    }
  }

  @Test func `a transaction that lost against another is run again, within the same attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: .close, with: .contention, times: 5)
    try await platform.withNode(errands: worker(attempts)) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.ledger.rollbacks == 5)
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `an attempt that outlasts its timeout is rolled back before its retry is enqueued`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200))
    let never = Gate()
    try await platform.withNode(
      errands: { job, context in
        try await context.close { transaction, _ in
          transaction.record("\(job.name) \(context.info.attempt)")
          if context.info.attempt == 1 { try await never.wait() }
          return .completed
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      #expect(platform.ledger.rollbacks == 1)
      #expect(platform.ledger.receipt(of: job.jobRun) == nil)
      #expect(platform.broker.retries.first?.envelope.attempt == 2)
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await eventually("the job is done") { platform.ledger.effects == ["a 2"] }
    }
  }

  @Test func `an attempt that takes no notice of its timeout commits nothing afterwards`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200), maxAttempts: 1)
    let never = Gate()
    try await platform.withNode(
      errands: { job, context in
        try await context.close { transaction, _ in
          transaction.record(job.name)
          // Ends when it is cancelled, and goes on as if nothing had happened.
          try? await never.wait()
          return .completed
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.certificate.reason == .attemptsExhausted)
      #expect(letter.certificate.detail.contains("longer than"))
      #expect(platform.ledger.effects.isEmpty)
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .dead)
    }
  }

  @Test func `a retry is enqueued again where the broker's answer was lost, and has one effect`() async throws {
    let platform = EnginePlatform()
    platform.broker.fail(with: .inDoubt(isKept: true)) { if case .retry = $0.destination { true } else { false } }
    try await platform.withNode(
      errands: { job, context in
        if context.info.attempt == 1 { throw Mishap() }
        return try await ErrandWorker.simple(job, context)
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("two copies wait") { platform.broker.retries.count == 2 }
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.broker.acknowledged == [job.jobRun, job.jobRun, job.jobRun])
    }
  }

  @Test func `a failed job is not let go of while nobody keeps its retry`() async throws {
    let platform = EnginePlatform()
    let gate = Gate()
    try await platform.withNode(
      errands: { job, context in
        guard context.info.attempt == 1 else { return try await ErrandWorker.simple(job, context) }
        try await gate.wait()
        throw Mishap()
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job is in hand") { platform.broker.unsettledCount(in: errands) == 1 }
      platform.broker.isReady = false
      gate.open()
      try await eventually("its retry was turned away twice") { platform.broker.notKept.count >= 2 }
      #expect(platform.broker.unsettledCount(in: errands) == 1)
      platform.broker.isReady = true
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      try await platform.eventuallyIdle()
      platform.broker.releaseRetries()
      try await eventually("the job is done") { platform.ledger.effects == ["a"] }
    }
  }
}
