internal import RabbitMQ
internal import Synchronization

/// Sees when a queue that is being emptied has nothing more to give, and ends the subscription then.
final class MoveWatch: Sendable {
  private struct State {
    /// When the last jobs were dealt with; nil while some are.
    var quietSince: ContinuousClock.Instant? = .now
    var leftCount = 0
    var trouble: String?
  }

  private let state = Mutex(State())
  private let patience: Duration
  private let window: Int
  /// The broker hands out what it has within milliseconds; then it is worth asking whether anything waits.
  private static let pause = Duration.milliseconds(300)

  /// - Parameter window: how many unsettled jobs the subscription may have.
  init(patience: Duration, window: Int) {
    self.patience = patience
    self.window = window
  }

  /// What ended it before the queue was empty.
  var trouble: String? { state.withLock { $0.trouble } }

  /// Jobs have come and are being dealt with.
  func begin() { state.withLock { $0.quietSince = nil } }

  /// They have been dealt with; so many stay unsettled by now.
  func end(left: Int) {
    state.withLock { state in
      state.quietSince = .now
      state.leftCount = left
    }
  }

  /// Watches until the subscription is ended, or the task cancelled.
  func run(over subscription: RabbitMQSubscription, _ broker: RabbitMQAdministration) async {
    var emptySince: ContinuousClock.Instant?
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.pause)
      let (quietSince, left) = state.withLock { ($0.quietSince, $0.leftCount) }
      guard let quietSince, quietSince + Self.pause < .now else { continue }
      let isOver = quietSince + patience < .now
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
        guard isOver || left >= window else { continue }
        let isBlocked = left >= window
        stop(isBlocked ? "\(left) that must stay are in the way of \(waiting)" : "the broker gives nothing more")
      } catch {
        if Task.isCancelled { return }
        stop("\(error)")
      }
      return subscription.cancel()
    }
  }

  private func stop(_ trouble: String) { state.withLock { $0.trouble = trouble } }
}
