package import Foundation

/// Clocks and random numbers: the system's, or a simulation's.
///
/// Code that sleeps, reads a clock or draws random numbers only through this is deterministic in a simulation.
package protocol TimeProvider: Sendable {
  /// The clock of deadlines and delays.
  var now: ContinuousClock.Instant { get }
  /// The time of day.
  var date: Date { get }
  /// Where a task runs that must outlive its creator's cancellation; nil: on the default executor.
  var executor: (any TaskExecutor)? { get }
  /// Throws `CancellationError` where the task is cancelled.
  func sleep(until deadline: ContinuousClock.Instant) async throws
  /// 64 random bits.
  func draw() -> UInt64
}

/// The current task's clocks and random numbers. Tasks inherit them from the task that starts them.
package enum TimeSource {
  /// Set by a simulation only.
  @TaskLocal package static var value: any TimeProvider = SystemTimeProvider()

  package static var now: ContinuousClock.Instant { value.now }
  package static var date: Date { value.date }
  package static func sleep(for delay: Duration) async throws { try await value.sleep(until: value.now + delay) }
  package static var generator: some RandomNumberGenerator { TaskRandomNumberGenerator(timeProvider: value) }

  /// Runs `body` in a task of its own and waits for it, whether or not this one is cancelled.
  package static func withCancellationShield<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async
    -> Value
  {
    await Task(executorPreference: value.executor) { await body() }.value
  }
}

struct SystemTimeProvider: TimeProvider {
  var now: ContinuousClock.Instant { .now }
  var date: Date { Date() }
  var executor: (any TaskExecutor)? { nil }
  func sleep(until deadline: ContinuousClock.Instant) async throws {
    try await ContinuousClock().sleep(until: deadline)
  }
  func draw() -> UInt64 { UInt64.random(in: 0 ... .max) }
}

/// A time provider's random bits as a `RandomNumberGenerator`.
private struct TaskRandomNumberGenerator: RandomNumberGenerator {
  let timeProvider: any TimeProvider
  mutating func next() -> UInt64 { timeProvider.draw() }
}
