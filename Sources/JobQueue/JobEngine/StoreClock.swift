internal import ClientLoop
package import Foundation
package import Jobs
package import Logging
internal import Metrics
internal import Synchronization

/// The store's time of day, read every five seconds and carried on in between by the machine's monotonic clock.
///
/// Nodes whose own clocks are wrong, or jump, then still agree on what is in the past, and on which of two commands
/// came first. Until the first reading it is the node's own clock. It steps back only where the store's clock was set
/// back by more than a second.
package final class StoreClock: Sendable {
  private let readStore: @Sendable () async throws -> Date
  private let logger: Logger
  private let state = Mutex(State())
  private let offset = Gauge(label: JobMetrics.clockOffset)

  private struct State {
    var estimate: ClockEstimate?
    var lastReading = Date.distantPast
    var isNodeWrong = false
  }

  /// Between two readings.
  private static var interval: Duration { .seconds(5) }
  /// An answer that takes longer is ignored: it is unknown when the store read its clock.
  private static var readTimeout: Duration { .seconds(2) }
  /// A node's clock that is off by more seconds is logged; NTP keeps it within some milliseconds.
  private static var tolerance: TimeInterval { 2 }
  /// During a correction back by fewer seconds the clock stands still: two commands, one after the other, keep their
  /// order.
  private static var stepMax: TimeInterval { 1 }

  package init(_ store: some JobStore, logger: Logger) {
    readStore = { try await store.now() }
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

  /// Reads the store's clock once; while the store is unavailable the last reading is carried on.
  package func read() async {
    let asked = TimeSource.now
    guard let date = try? await withDeadline(asked + Self.readTimeout, readStore) else { return }
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
    offset.record(ahead)
    guard hasChanged else { return }
    if isWrong {
      logger.warning(
        "this node's clock differs from PostgreSQL's, which is used instead; fix it",
        metadata: ["offset": "\(Int(ahead))s"])
    } else {
      logger.info("this node's clock agrees with PostgreSQL's again")
    }
  }

  /// Reads until the task is cancelled.
  package func run() async {
    while !Task.isCancelled {
      await read()
      try? await TimeSource.sleep(for: Self.interval)
    }
  }
}
