import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Transactions before the completing one, in which a worker records what it is about to do outside the store.
@Suite(.timeLimit(.minutes(1)))
struct EngineTransactTests {
  /// Records the attempt and an intent, runs `between`, then completes the echo job.
  private func recordingWorker(
    _ attempts: Locked<[Int]> = Locked([]),
    between: @escaping @Sendable (JobInfo) async throws -> Void = { _ in }
  ) -> EchoWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      try await context.withTransaction { transaction in transaction.record("intent of attempt \(context.info.attempt)")
      }
      try await between(context.info)
      return try await EchoWorker.simple(job, context)
    }
  }

  @Test func `a transaction before the completing one commits, and the job is completed once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: recordingWorker()) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["intent of attempt 1", "a"])
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
      #expect(platform.store.commits == 1)
    }
  }

  @Test func `a transaction is committed before the worker continues, and returns its result`() async throws {
    let platform = EnginePlatform()
    let seen = Locked<[String]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        let found = try await context.withTransaction { transaction in
          transaction.record("intent")
          return "found for \(job.name)"
        }
        let receipt = platform.store.receipt(of: context.info.jobRun)
        seen.change { $0 = platform.store.effects + [found, receipt == nil ? "no receipt" : "a receipt"] }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(seen.value == ["intent", "found for a", "no receipt"])
    }
  }

  @Test func `a committed transaction stays when the attempt then fails permanently`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: recordingWorker(between: { _ in throw PermanentError() })) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == job.jobRun)
      #expect(platform.store.effects == ["intent of attempt 1"])
    }
  }

  @Test func `a transaction runs again when the job is retried`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      echoJobs: recordingWorker(between: { info in if info.attempt == 1 { throw TransientError() } })
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      #expect(platform.store.effects == ["intent of attempt 1"])
      platform.broker.releaseRetries()
      try await eventually("the job is completed") {
        platform.store.effects == ["intent of attempt 1", "intent of attempt 2", "a"]
      }
    }
  }

  @Test func `a committed transaction stays when the job is then snoozed`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      echoJobs: { _, context in
        try await context.withTransaction { $0.record("intent") }
        return try await context.complete { transaction, _ in
          transaction.record("gone")
          return .snoozed(for: .seconds(1), reason: "not yet")
        }
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(echoJobs) }
      #expect(platform.store.effects == ["intent"])
    }
  }

  @Test func `an error thrown in a transaction rolls it back and fails the attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(
      echoJobs: { _, context in
        try await context.withTransaction { transaction in
          transaction.record("gone")
          throw TransientError()
        }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.detail.contains("kettle"))
      #expect(platform.store.effects.isEmpty)
    }
  }

  @Test func `an unavailable store delays a transaction, and costs no attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: .withTransaction, with: .unavailable("gone"), times: 3)
    try await platform.withNode(echoJobs: recordingWorker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["intent of attempt 1", "a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a transaction that hits contention, or whose commit is in doubt, runs again`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.store.fail(next: .withTransaction, with: .contention)
    platform.store.fail(next: .withTransaction, with: .inDoubt, takesEffect: true)
    try await platform.withNode(echoJobs: recordingWorker(attempts)) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["intent of attempt 1", "intent of attempt 1", "a"])
    }
  }
}
