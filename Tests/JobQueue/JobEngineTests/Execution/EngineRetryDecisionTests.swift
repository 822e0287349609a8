import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Fails echo jobs, with the retry decision that a test passes in.
private struct DecidingWorker: Worker {
  let retryDecision: @Sendable (any Error, Int) -> RetryDecision

  func work(_ job: EchoJob, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    if job.name == "hopeless" { throw PermanentError() }
    throw TransientError()
  }

  func retryDecision(after error: any Error, attempt: Int) -> RetryDecision { retryDecision(error, attempt) }
}

/// What follows from an error by a worker's own retry decision.
@Suite(.timeLimit(.minutes(1)))
struct EngineRetryDecisionTests {
  @Test func `a retry delay that a worker decides is not rounded to a tier`() async throws {
    let platform = EnginePlatform(maxAttempts: 2)
    try await platform.withNode(registering: { $0.register(DecidingWorker { _, _ in .after(.seconds(40)) }) }) {
      _ async throws in
      let before = Date()
      try await platform.enqueue("a")
      try await eventually("it is scheduled") { platform.store.scheduledJobs.count == 1 }
      let waiting = try #require(platform.store.scheduledJobs.first)
      #expect(waiting.envelope.attempt == 2)
      #expect(waiting.dueAt >= before + 40)
      #expect(waiting.dueAt < Date() + 41)
      #expect(platform.broker.retries.isEmpty)
      // The attempt counts nevertheless.
      platform.store.advance(by: .seconds(41))
      #expect(try await platform.onlyLetter().deadLetterInfo.reason == .attemptsExhausted)
    }
  }

  @Test func `a worker decides by the error and the attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 3)
    let worker = DecidingWorker { error, attempt in
      // The opposite of what the errors' own `isPermanent` says.
      error is PermanentError ? .default : attempt < 2 ? .default : .never
    }
    try await platform.withNode(registering: { $0.register(worker) }) { _ async throws in
      try await platform.enqueue("hopeless", "a")
      try await eventually("both wait for their retry") { platform.broker.retries.count == 2 }
      platform.broker.releaseRetries()
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .permanentError)
      #expect(letter.deadLetterInfo.attempts == 2)
      try await eventually("the other one waits again") { platform.broker.retries.count == 1 }
    }
  }
}
