internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Watches one subscription and rebuilds it when it gets nothing though jobs wait; see ``FlowWatch``.
final class FlowWatchdog: Sendable {
  private let subscription: any JobSubscription
  private let pool: PoolName
  private let logger: Logger
  private let watch: Mutex<FlowWatch>
  private let interval: Duration

  /// - Parameter silence: how long nothing may arrive before the queue is looked at.
  init(_ subscription: any JobSubscription, pool: PoolName, silence: Duration, logger: Logger) {
    self.subscription = subscription
    self.pool = pool
    self.logger = logger
    watch = Mutex(FlowWatch(silence: silence, now: CurrentRuntime.now))
    interval = silence / 10
  }

  /// True while jobs wait in the queue and none arrives.
  var isStalled: Bool { watch.withLock { $0.isStalled } }

  /// Jobs arrived.
  func arrived() { watch.withLock { $0.arrived(CurrentRuntime.now) } }

  /// Watches until the task is cancelled.
  ///
  /// - Parameter hasRoom: whether more jobs are wanted.
  func run(hasRoom: @Sendable () -> Bool) async {
    while !Task.isCancelled {
      try? await CurrentRuntime.sleep(for: interval)
      // A flow that is known to be interrupted is being rebuilt already.
      let wants = hasRoom() && subscription.isFlowing
      guard watch.withLock({ $0.shouldAsk(CurrentRuntime.now, hasRoom: wants) }) else { continue }
      let waiting = try? await subscription.waitingCount()
      guard !Task.isCancelled, watch.withLock({ $0.answered(waiting, CurrentRuntime.now) }) else { continue }
      logger.error(
        "jobs wait and none arrives; the flow is rebuilt",
        metadata: ["pool": "\(pool)", "waiting": "\(waiting ?? 0)"])
      JobMetrics.rebuilt(pool: pool)
      subscription.restart()
    }
  }
}
