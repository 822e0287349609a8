import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Timeouts, and the deadline that a worker sees in its context.
@Suite(.timeLimit(.minutes(1)))
struct EngineTimeoutTests {
  /// The deadline an attempt was given, and when it read it.
  private struct Reading: Sendable {
    let deadline: ContinuousClock.Instant
    let at: ContinuousClock.Instant
  }

  private static let timeout = Duration.seconds(7)

  @Test func `an attempt's deadline is its pool's timeout after its start`() async throws {
    let platform = EnginePlatform(timeout: Self.timeout)
    let seen = Locked<[Reading]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append(Reading(deadline: context.deadline, at: .now)) }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      let before = ContinuousClock.now
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(seen.value.count == 1)
      let reading = seen.value[0]
      #expect(reading.deadline >= before + Self.timeout)
      #expect(reading.deadline <= reading.at + Self.timeout)
    }
  }

  @Test func `a kind's own timeout replaces its pool's`() async throws {
    let platform = EnginePlatform(timeout: .seconds(600), timeouts: [EchoJob.kind: Self.timeout])
    let seen = Locked<[Reading]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append(Reading(deadline: context.deadline, at: .now)) }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(seen.value.count == 1)
      #expect(seen.value[0].deadline <= seen.value[0].at + Self.timeout)
    }
  }

  @Test func `the next attempt has the full timeout again`() async throws {
    let platform = EnginePlatform(timeout: Self.timeout)
    let seen = Locked<[Reading]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        seen.change { $0.append(Reading(deadline: context.deadline, at: .now)) }
        if context.info.attempt == 1 { throw TransientError() }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      let between = ContinuousClock.now
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
      try #require(seen.value.count == 2)
      let reading = seen.value[1]
      #expect(reading.deadline >= between + Self.timeout)
      #expect(reading.deadline <= reading.at + Self.timeout)
    }
  }

  @Test func `no attempt is cancelled before its deadline`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(200), maxAttempts: 1)
    let (never, reachedDeadline) = (Gate(), Locked<Bool?>(nil))
    try await platform.withNode(
      echoJobs: { _, context in
        do {
          try await never.wait()
        } catch {
          reachedDeadline.change { $0 = ContinuousClock.now >= context.deadline }
          throw error
        }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.detail.contains("longer than"))
      #expect(reachedDeadline.value == true)
    }
  }
}
