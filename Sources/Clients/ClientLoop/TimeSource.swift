package import Foundation

/// Time and chance: the system's, unless a simulation has put its own in their place.
///
/// Code that waits, looks at a clock or draws a number through this behaves in a simulation exactly as its seed says.
/// The value belongs to a task and everything it starts.
package protocol TimeProvider: Sendable {
  /// The clock that deadlines and delays are measured with.
  var now: ContinuousClock.Instant { get }
  /// The time of day.
  var date: Date { get }
  /// Where a task that must outlive its creator's cancellation is to run; nil: where any other task does.
  var executor: (any TaskExecutor)? { get }
  /// Waits; throws `CancellationError` where the task is cancelled.
  func sleep(until deadline: ContinuousClock.Instant) async throws
  /// Sixty-four random bits.
  func draw() -> UInt64
}

/// The timeProvider of the current task.
package enum TimeSource {
  /// Set by a simulation only.
  @TaskLocal package static var value: any TimeProvider = SystemTimeProvider()

  /// The clock that deadlines and delays are measured with.
  package static var now: ContinuousClock.Instant { value.now }
  /// The time of day.
  package static var date: Date { value.date }
  /// Waits; throws `CancellationError` where the task is cancelled.
  package static func sleep(for delay: Duration) async throws { try await value.sleep(until: value.now + delay) }
  /// Draws numbers.
  package static var generator: some RandomNumberGenerator { TaskRandomNumberGenerator(timeProvider: value) }

  /// Runs `body` in a task of its own and waits for it, whether or not this one is cancelled.
  package static func withCancellationShield<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async
    -> Value
  {
    await Task(executorPreference: value.executor) { await body() }.value
  }
}

/// The system's clocks and random numbers.
package struct SystemTimeProvider: TimeProvider {
  /// There is but one system.
  package init() {}

  /// The system's monotonic clock.
  package var now: ContinuousClock.Instant { .now }
  /// The system's time of day.
  package var date: Date { Date() }
  /// Swift's own.
  package var executor: (any TaskExecutor)? { nil }
  /// Waits for the system's clock.
  package func sleep(until deadline: ContinuousClock.Instant) async throws {
    try await ContinuousClock().sleep(until: deadline)
  }
  /// From the system's generator.
  package func draw() -> UInt64 { UInt64.random(in: 0 ... .max) }
}

/// A timeProvider's draws as the standard library wants them.
private struct TaskRandomNumberGenerator: RandomNumberGenerator {
  let timeProvider: any TimeProvider
  mutating func next() -> UInt64 { timeProvider.draw() }
}
