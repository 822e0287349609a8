import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// Transactions before the closing one, in which a worker notes what it is about to do elsewhere.
@Suite(.timeLimit(.minutes(1)))
struct EngineStepTests {
  /// Notes the attempt, then does the errand, or what `between` does before that.
  private func noting(
    _ attempts: Locked<[Int]> = Locked([]),
    between: @escaping @Sendable (JobInfo) async throws -> Void = { _ in }
  ) -> ErrandWorker.Body {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      try await context.transact { transaction in transaction.record("intent of attempt \(context.info.attempt)") }
      try await between(context.info)
      return try await ErrandWorker.simple(job, context)
    }
  }

  @Test func `a step comes before the closing, and the job is closed once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(errands: noting()) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["intent of attempt 1", "a"])
      #expect(platform.ledger.receipt(of: job.jobRun)?.outcome == .done)
      #expect(platform.ledger.commits == 1)
    }
  }

  @Test func `a step is committed before the worker goes on, and gives it what it found`() async throws {
    let platform = EnginePlatform()
    let seen = Locked<[String]>([])
    try await platform.withNode(
      errands: { job, context in
        let found = try await context.transact { transaction in
          transaction.record("intent")
          return "found for \(job.name)"
        }
        let receipt = platform.ledger.receipt(of: context.info.jobRun)
        seen.change { $0 = platform.ledger.effects + [found, receipt == nil ? "no receipt" : "a receipt"] }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(seen.value == ["intent", "found for a", "no receipt"])
    }
  }

  @Test func `a step stays although the attempt then fails for good`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(errands: noting(between: { _ in throw Hopeless() })) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == job.jobRun)
      #expect(platform.ledger.effects == ["intent of attempt 1"])
    }
  }

  @Test func `a step happens again when the job is tried again`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      errands: noting(between: { info in if info.attempt == 1 { throw Mishap() } })
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      #expect(platform.ledger.effects == ["intent of attempt 1"])
      platform.broker.releaseRetries()
      try await eventually("the job is done") {
        platform.ledger.effects == ["intent of attempt 1", "intent of attempt 2", "a"]
      }
    }
  }

  @Test func `a step stays where the job is snoozed after it`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      errands: { _, context in
        try await context.transact { $0.record("intent") }
        return try await context.close { transaction, _ in
          transaction.record("gone")
          return .snoozed(for: .seconds(1), reason: "not yet")
        }
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(errands) }
      #expect(platform.ledger.effects == ["intent"])
    }
  }

  @Test func `what a step throws rolls it back and fails the attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(
      errands: { _, context in
        try await context.transact { transaction in
          transaction.record("gone")
          throw Mishap()
        }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.certificate.detail.contains("kettle"))
      #expect(platform.ledger.effects.isEmpty)
    }
  }

  @Test func `a ledger that is away at a step is waited for, and costs no attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: .transact, with: .unavailable("gone"), times: 3)
    try await platform.withNode(errands: noting(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["intent of attempt 1", "a"])
      #expect(platform.broker.acknowledged == [job.jobRun])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a step that lost against another transaction, or whose answer was lost, happens again`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let attempts = Locked<[Int]>([])
    platform.ledger.fail(next: .transact, with: .contention)
    platform.ledger.fail(next: .transact, with: .inDoubt, takesEffect: true)
    try await platform.withNode(errands: noting(attempts)) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      #expect(attempts.value == [1])
      #expect(platform.ledger.effects == ["intent of attempt 1", "intent of attempt 1", "a"])
    }
  }
}
