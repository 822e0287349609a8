internal import RabbitMQ
internal import Synchronization

/// Detects that a queue which is being drained is empty, or cannot be drained further, and cancels the subscription.
final class DrainMonitor: Sendable {
  private struct State {
    /// When the last batch was finished; nil: one is being worked on.
    var quietSince: ContinuousClock.Instant? = .now
    var skippedCount = 0
    var failure: String?
  }

  private let state = Mutex(State())
  private let timeout: Duration
  private let prefetch: Int
  /// The broker delivers what it has within milliseconds; after this time the queue's depth says whether any is left.
  private static let pollInterval = Duration.milliseconds(300)

  /// - Parameter prefetch: how many unsettled jobs the subscription may have.
  init(timeout: Duration, prefetch: Int) {
    self.timeout = timeout
    self.prefetch = prefetch
  }

  /// What ended it before the queue was empty; nil: nothing.
  var failure: String? { state.withLock { $0.failure } }

  func batchStarted() { state.withLock { $0.quietSince = nil } }

  /// - Parameter skipped: jobs that stay unsettled, in all batches so far.
  func batchFinished(skipped: Int) {
    state.withLock { state in
      state.quietSince = .now
      state.skippedCount = skipped
    }
  }

  /// Runs until it has cancelled the subscription, or the task is cancelled.
  func run(over subscription: RabbitMQSubscription, _ broker: RabbitMQAdministration) async {
    var emptySince: ContinuousClock.Instant?
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.pollInterval)
      let (quietSince, skipped) = state.withLock { ($0.quietSince, $0.skippedCount) }
      guard let quietSince, quietSince + Self.pollInterval < .now else { continue }
      let isOverdue = quietSince + timeout < .now
      // Before the broker knows the subscription it delivers nothing.
      guard subscription.isAttached || isOverdue else { continue }
      do {
        let queued = try await broker.queueDepth(subscription.queue)?.messages ?? 0
        guard queued > 0 else {
          // The last deliveries may be under way: it must look the same twice.
          if emptySince == quietSince { return subscription.cancel() }
          emptySince = quietSince
          continue
        }
        let isBlocked = skipped >= prefetch
        guard isOverdue || isBlocked else { continue }
        fail(isBlocked ? "\(skipped) skipped jobs block \(queued) others" : "the broker delivers nothing more")
      } catch {
        if Task.isCancelled { return }
        fail("\(error)")
      }
      return subscription.cancel()
    }
  }

  private func fail(_ failure: String) { state.withLock { $0.failure = failure } }
}
