import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// The engine retries a worker's transaction alone: what the worker did before it is not repeated.
@Suite(.timeLimit(.minutes(1)))
struct EngineTransactionRetryTests {
  /// Records each call, then an intent, then completes the echo job.
  private func worker(_ attempts: Locked<[Int]>) -> EchoWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      try await context.withTransaction { transaction in transaction.record("intent") }
      return try await EchoWorker.simple(job, context)
    }
  }

  @Test(
    arguments: [JobStoreError.contention, .unavailable("gone"), .inDoubt], [JobStoreCall.complete, .withTransaction])
  func `a failed transaction is retried, and the work before it is not repeated`(
    _ error: JobStoreError, _ call: JobStoreCall
  ) async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: call, with: error, times: 3)
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["intent", "a"])
      #expect(platform.store.commits == 1)
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a completion in doubt finds its own receipt when retried, and the work is not repeated`()
    async throws
  {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: .complete, with: .inDoubt, takesEffect: true)
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["intent", "a"])
      #expect(platform.store.commits == 1)
      #expect(platform.broker.acknowledged == [job.jobRun])
    }
  }

  @Test func `a transaction returns the result of the execution that committed`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let (executions, results) = (Locked(0), Locked<[Int]>([]))
    platform.store.fail(next: .withTransaction, with: .contention, times: 2)
    try await platform.withNode(
      echoJobs: { _, context in
        let result = try await context.withTransaction { _ in
          executions.change { executions in
            executions += 1
            return executions
          }
        }
        results.change { $0.append(result) }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(results.value == [3])
    }
  }

  @Test func `a store unavailable for longer than the timeout has the work repeated as the same attempt`()
    async throws
  {
    // The store's calls end a quarter of the timeout before it. That quarter is for a machine that is busy otherwise.
    let platform = EnginePlatform(timeout: .seconds(4), maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.isAvailable = false
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the work is started again") { attempts.value.count > 1 }
      platform.store.isAvailable = true
      try await platform.eventuallyIdle()
      #expect(Set(attempts.value) == [1])
      #expect(platform.store.effects == ["intent", "a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }
}
