import ClientLoop
import Foundation
import TestServers
import Testing

/// A clock that stands still but for sleeps, which end at once, and random numbers that are all the least: delays are
/// half of their step.
private struct InstantTime: TimeProvider {
  let elapsed = Locked(Duration.zero)
  let sleeps = Locked<[Duration]>([])
  private let start = ContinuousClock.now

  var now: ContinuousClock.Instant { start + elapsed.value }
  var date: Date { Date(timeIntervalSince1970: 0) }
  var executor: (any TaskExecutor)? { nil }
  func sleep(until deadline: ContinuousClock.Instant) async throws {
    try Task.checkCancellation()
    let delay = deadline - now
    sleeps.change { $0.append(delay) }
    elapsed.change { $0 += delay }
  }
  // Not 0, which the standard library draws again, for ever.
  func draw() -> UInt64 { 1 }
}

struct RetryingTests {
  private struct Broken: Error, Equatable { var attempt = 0 }

  private let time = InstantTime()
  private let backoff = Backoff(initial: .milliseconds(100), max: .milliseconds(400))

  @Test func `a success is returned at once`() async throws {
    let value = try await TimeSource.$value.withValue(time) { try await retrying { _ in 7 } }
    #expect(value == 7)
    #expect(time.sleeps.value.isEmpty)
  }

  @Test func `failures are retried after the backoff's delays`() async throws {
    let attempts = Locked(0)
    try await TimeSource.$value.withValue(time) {
      try await retrying(backoff: backoff) { _ in
        if attempts.change({
          $0 += 1; return $0
        }) < 5 {
          throw Broken()
        }
      }
    }
    #expect(attempts.value == 5)
    #expect(time.sleeps.value == [.milliseconds(50), .milliseconds(100), .milliseconds(200), .milliseconds(200)])
  }

  @Test func `the error is thrown where the caller gives up`() async {
    let attempts = Locked(0)
    await #expect(throws: Broken(attempt: 3)) {
      try await TimeSource.$value.withValue(time) {
        try await retrying(
          backoff: backoff, decide: { error in (error as? Broken)?.attempt == 3 ? .giveUp : .retry },
          { _ in
            throw Broken(
              attempt: attempts.change {
                $0 += 1; return $0
              })
          })
      }
    }
    #expect(time.sleeps.value.count == 2)
  }

  @Test func `a fixed delay leaves the backoff where it is`() async throws {
    let attempts = Locked(0)
    try await TimeSource.$value.withValue(time) {
      try await retrying(
        backoff: backoff, decide: { _ in attempts.value == 1 ? .retryAfter(.seconds(9)) : .retry },
        { _ in
          if attempts.change({
            $0 += 1; return $0
          }) < 3 {
            throw Broken()
          }
        })
    }
    #expect(time.sleeps.value == [.seconds(9), .milliseconds(50)])
  }

  @Test func `a body that resets the backoff begins with its first delay again`() async throws {
    let attempts = Locked(0)
    try await TimeSource.$value.withValue(time) {
      try await retrying(backoff: backoff) { backoff in
        let attempt = attempts.change {
          $0 += 1; return $0
        }
        if attempt == 3 { backoff.reset() }
        if attempt < 5 { throw Broken() }
      }
    }
    #expect(time.sleeps.value == [.milliseconds(50), .milliseconds(100), .milliseconds(50), .milliseconds(100)])
  }

  @Test func `no delay passes the deadline: the last error is thrown instead`() async {
    let attempts = Locked(0)
    await #expect(throws: Broken(attempt: 3)) {
      try await TimeSource.$value.withValue(time) {
        try await retrying(until: time.now + .milliseconds(160), backoff: backoff) { _ in
          throw Broken(
            attempt: attempts.change {
              $0 += 1; return $0
            })
        }
      }
    }
    #expect(time.elapsed.value == .milliseconds(150))
  }

  @Test func `a task that was cancelled runs nothing`() async throws {
    let gate = Promise<Void>()
    let attempts = Locked(0)
    let task = Task {
      try? await gate.wait()  // ends early: the task is cancelled
      try await retrying { _ in attempts.change { $0 += 1 } }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(attempts.value == 0)
  }

  @Test func `a cancellation while the body runs is no error to decide about`() async throws {
    let isRunning = Promise<Void>()
    let gate = Promise<Void>()
    let decisions = Locked(0)
    let task = Task {
      try await retrying(decide: { _ in
        decisions.change { $0 += 1 }; return .retry
      }) { _ in
        isRunning.resolve()
        try? await gate.wait()
        throw Broken()
      }
    }
    try await isRunning.wait()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(decisions.value == 0)
  }

  @Test(.timeLimit(.minutes(1))) func `a cancellation ends the delay`() async throws {
    let hasFailed = Promise<Void>()
    let task = Task {
      try await retrying(decide: { _ in
        hasFailed.resolve(); return .retryAfter(.seconds(600))
      }) { _ in throw Broken() }
    }
    try await hasFailed.wait()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
