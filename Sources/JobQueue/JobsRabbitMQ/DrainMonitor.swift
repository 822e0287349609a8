internal import RabbitMQ
internal import Synchronization

/// Sees when a queue that is being emptied has nothing more to give, and ends the subscription then.
final class DrainMonitor: Sendable {
  private struct State {
    /// When the last jobs were dealt with; nil while some are.
    var quietSince: ContinuousClock.Instant? = .now
    var skippedCount = 0
    var failure: String?
  }

  private let state = Mutex(State())
  private let timeout: Duration
  private let prefetch: Int
  /// The broker hands out what it has within milliseconds; then it is worth asking whether anything waits.
  private static let pollInterval = Duration.milliseconds(300)

  /// - Parameter prefetch: how many unsettled jobs the subscription may have.
  init(timeout: Duration, prefetch: Int) {
    self.timeout = timeout
    self.prefetch = prefetch
  }

  /// What ended it before the queue was empty.
  var failure: String? { state.withLock { $0.failure } }

  /// Jobs have come and are being dealt with.
  func begin() { state.withLock { $0.quietSince = nil } }

  /// They have been dealt with; so many stay unsettled by now.
  func end(left: Int) {
    state.withLock { state in
      state.quietSince = .now
      state.skippedCount = left
    }
  }

  /// Watches until the subscription is ended, or the task cancelled.
  func run(over subscription: RabbitMQSubscription, _ broker: RabbitMQAdministration) async {
    var emptySince: ContinuousClock.Instant?
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.pollInterval)
      let (quietSince, left) = state.withLock { ($0.quietSince, $0.skippedCount) }
      guard let quietSince, quietSince + Self.pollInterval < .now else { continue }
      let isOver = quietSince + timeout < .now
      // Before the subscription stands nothing can have come.
      guard subscription.isAttached || isOver else { continue }
      do {
        let waiting = try await broker.queueDepth(subscription.queue)?.messages ?? 0
        guard waiting > 0 else {
          // The last ones may be on their way: it must look the same twice.
          if emptySince == quietSince { return subscription.cancel() }
          emptySince = quietSince
          continue
        }
        guard isOver || left >= prefetch else { continue }
        let isBlocked = left >= prefetch
        stop(isBlocked ? "\(left) that must stay are in the way of \(waiting)" : "the broker gives nothing more")
      } catch {
        if Task.isCancelled { return }
        stop("\(error)")
      }
      return subscription.cancel()
    }
  }

  private func stop(_ failure: String) { state.withLock { $0.failure = failure } }
}
