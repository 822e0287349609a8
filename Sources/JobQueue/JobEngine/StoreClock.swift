internal import ClientLoop
package import Foundation
package import Jobs
package import Logging
internal import Metrics
internal import Synchronization

/// The store's time of day, read now and then and carried on in between by the machine's monotonic clock.
///
/// Nodes whose own clocks are wrong, or jump, then still agree on what is in the past, and on which of two commands came
/// first. Until the store was read for the first time it is the node's own clock. It steps back only where the store's
/// clock was put back by more than a second.
package final class StoreClock<Store: JobStore>: Sendable {
  private let store: Store
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var estimate: ClockEstimate?
    var lastReading = Date.distantPast
    var isNodeWrong = false
  }

  /// Between two readings.
  private static var interval: Duration { .seconds(5) }
  /// A store that does not answer within this time says nothing of the time: nobody knows when it looked at its clock.
  private static var readTimeout: Duration { .seconds(2) }
  /// A node's clock that is off by more seconds is worth a warning; NTP keeps it within some milliseconds.
  private static var tolerance: TimeInterval { 2 }
  /// A correction back by fewer seconds is waited out: two commands, one after the other, keep their order.
  private static var stepMax: TimeInterval { 1 }

  /// A clock that shows the node's time until it is read.
  package init(_ store: Store, logger: Logger) {
    self.store = store
    self.logger = logger
  }

  /// The time of day by the store's clock.
  package var now: Date {
    state.withLock { state in
      let date = state.estimate?.date(at: TimeSource.now) ?? TimeSource.date
      if date < state.lastReading, state.lastReading.timeIntervalSince(date) < Self.stepMax { return state.lastReading }
      state.lastReading = date
      return date
    }
  }

  /// Reads the store's clock once; while it is away the last reading is carried on.
  package func read() async {
    let store = store
    let asked = TimeSource.now
    guard let date = try? await withDeadline(asked + Self.readTimeout, { try await store.now() }) else { return }
    let answered = TimeSource.now
    guard answered - asked <= Self.readTimeout else { return }
    let (ahead, isWrong, hasChanged) = state.withLock { state in
      let estimate = ClockEstimate(date, asked: asked, answered: answered, after: state.estimate)
      state.estimate = estimate
      let ahead = TimeSource.date.timeIntervalSince(estimate.date(at: TimeSource.now))
      let isWrong = abs(ahead) > Self.tolerance
      defer { state.isNodeWrong = isWrong }
      return (ahead, isWrong, state.isNodeWrong != isWrong)
    }
    JobMetrics.clockAhead(ahead)
    guard hasChanged else { return }
    if isWrong {
      logger.warning(
        "this machine's clock differs from the database's, which is gone by; set it right",
        metadata: ["ahead": "\(Int(ahead))s"])
    } else {
      logger.info("this machine's clock agrees with the database's again")
    }
  }

  /// Reads every five seconds, until the task is cancelled.
  package func run() async {
    while !Task.isCancelled {
      await read()
      try? await TimeSource.sleep(for: Self.interval)
    }
  }
}

/// What a clock elsewhere shows, as far as its answers tell.
struct ClockEstimate: Sendable {
  private let date: Date
  private let instant: ContinuousClock.Instant

  /// Takes an answer into account: the clock was read at some time between question and answer, and nobody knows when.
  /// What was thought before is kept where that can be true, and corrected by as little as may be where it cannot. The
  /// first time it is taken to have been read halfway.
  init(
    _ lastReading: Date, asked: ContinuousClock.Instant, answered: ContinuousClock.Instant,
    after former: ClockEstimate? = nil
  ) {
    let latest = lastReading.addingTimeInterval((answered - asked) / .seconds(1))
    let guess = former?.date(at: answered) ?? lastReading.addingTimeInterval((answered - asked) / .seconds(2))
    date = min(max(guess, lastReading), latest)
    instant = answered
  }

  /// What it shows at another instant, if it goes on as it should.
  func date(at other: ContinuousClock.Instant) -> Date { date.addingTimeInterval((other - instant) / .seconds(1)) }
}
