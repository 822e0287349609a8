import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// A worker's transactions are run again by themselves: what it did elsewhere before is not completed again for their sake.
@Suite(.timeLimit(.minutes(1)))
struct EngineTransactionRetryTests {
  /// Notes each of its calls, then an intent, then does the echoJob.
  private func worker(_ attempts: Locked<[Int]>) -> EchoWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      try await context.withTransaction { transaction in transaction.record("intent") }
      return try await EchoWorker.simple(job, context)
    }
  }

  @Test(
    arguments: [JobStoreError.contention, .unavailable("gone"), .inDoubt], [JobStoreCall.complete, .withTransaction])
  func `a transaction that is lost is run again, and the work before it is not`(
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

  @Test func `a completion whose answer was lost finds its own receipt, and the work is not completed again`()
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

  @Test func `a step gives the worker what was found when it was committed`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let (looks, found) = (Locked(0), Locked<[Int]>([]))
    platform.store.fail(next: .withTransaction, with: .contention, times: 2)
    try await platform.withNode(
      echoJobs: { _, context in
        let look = try await context.withTransaction { _ in
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

  @Test func `a store that is away for longer than an attempt lasts has the work completed again, as the same attempt`()
    async throws
  {
    let platform = EnginePlatform(timeout: .seconds(2), maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.isAvailable = false
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the work is begun again") { attempts.value.count > 1 }
      platform.store.isAvailable = true
      try await platform.eventuallyIdle()
      #expect(Set(attempts.value) == [1])
      #expect(platform.store.effects == ["intent", "a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }
}
