import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// A worker's transactions are run again by themselves: what it did elsewhere before is not done again for their sake.
@Suite(.timeLimit(.minutes(1)))
struct EngineInsistingTests {
  /// Notes each of its calls, then an intent, then does the errand.
  private func worker(_ attempts: Locked<[Int]>) -> ErrandWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      try await context.transact { transaction in transaction.record("intent") }
      return try await ErrandWorker.simple(job, context)
    }
  }

  @Test(arguments: [LedgerError.contention, .unavailable("gone"), .inDoubt], [LedgerCall.close, .transact])
  func `a transaction that is lost is run again, and the work before it is not`(
    _ error: LedgerError, _ call: LedgerCall
  ) async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: call, with: error, times: 3)
    try await platform.withNode(errands: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["intent", "a"])
      #expect(platform.ledger.commits == 1)
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .done)
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a closing whose answer was lost finds its own receipt, and the work is not done again`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: .close, with: .inDoubt, takesEffect: true)
    try await platform.withNode(errands: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["intent", "a"])
      #expect(platform.ledger.commits == 1)
      #expect(platform.broker.acknowledged == [job.jobRun])
    }
  }

  @Test func `a step gives the worker what was found when it was committed`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let (looks, found) = (Locked(0), Locked<[Int]>([]))
    platform.ledger.fail(next: .transact, with: .contention, times: 2)
    try await platform.withNode(
      errands: { _, context in
        let look = try await context.transact { _ in
          looks.change { looks in
            looks += 1
            return looks
          }
        }
        found.change { $0.append(look) }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(found.value == [3])
    }
  }

  @Test func `a ledger that is away for longer than an attempt lasts has the work done again, as the same attempt`()
    async throws
  {
    let platform = EnginePlatform(timeout: .seconds(2), maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.isAvailable = false
    try await platform.withNode(errands: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the work is begun again") { attempts.value.count > 1 }
      platform.ledger.isAvailable = true
      try await platform.eventuallyIdle()
      #expect(Set(attempts.value) == [1])
      #expect(platform.ledger.effects == ["intent", "a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }
}
