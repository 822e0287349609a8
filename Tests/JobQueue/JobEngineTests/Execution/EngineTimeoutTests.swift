import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// What a worker is told of the time it has.
@Suite(.timeLimit(.minutes(1)))
struct EngineTimeoutTests {
  /// What an attempt was told, and when it looked.
  private struct Look: Sendable {
    let deadline: ContinuousClock.Instant
    let at: ContinuousClock.Instant
  }

  private static let timeout = Duration.seconds(7)

  @Test func `an attempt is given up its pool's timeout after it began`() async throws {
    let platform = EnginePlatform(timeout: Self.timeout)
    let seen = Locked<[Look]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append(Look(deadline: context.deadline, at: .now)) }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      let before = ContinuousClock.now
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(seen.value.count == 1)
      let look = seen.value[0]
      #expect(look.deadline >= before + Self.timeout)
      #expect(look.deadline <= look.at + Self.timeout)
    }
  }

  @Test func `a kind with a timeout of its own has that one`() async throws {
    let platform = EnginePlatform(timeout: .seconds(600), timeouts: [EchoJob.kind: Self.timeout])
    let seen = Locked<[Look]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append(Look(deadline: context.deadline, at: .now)) }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(seen.value.count == 1)
      #expect(seen.value[0].deadline <= seen.value[0].at + Self.timeout)
    }
  }

  @Test func `the next attempt has as much time again`() async throws {
    let platform = EnginePlatform(timeout: Self.timeout)
    let seen = Locked<[Look]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append(Look(deadline: context.deadline, at: .now)) }
        if context.info.attempt == 1 { throw TransientError() }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      let between = ContinuousClock.now
      platform.broker.releaseRetries()
      try await eventually("the job is done") { platform.store.effects == ["a"] }
      try #require(seen.value.count == 2)
      let look = seen.value[1]
      #expect(look.deadline >= between + Self.timeout)
      #expect(look.deadline <= look.at + Self.timeout)
    }
  }

  @Test func `no attempt is cancelled before the instant it was told`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200), maxAttempts: 1)
    let (never, hadItsTime) = (Gate(), Locked<Bool?>(nil))
    try await platform.withNode(
      echoJobs: { _, context in
        do {
          try await never.wait()
        } catch {
          hadItsTime.change { $0 = ContinuousClock.now >= context.deadline }
          throw error
        }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.detail.contains("longer than"))
      #expect(hadItsTime.value == true)
    }
  }
}
