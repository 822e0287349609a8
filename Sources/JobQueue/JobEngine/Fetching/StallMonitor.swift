internal import ClientLoop
internal import Jobs
internal import Logging
internal import Synchronization

/// Watches one subscription and rebuilds it when it gets nothing though jobs wait; see ``StallDetector``.
final class StallMonitor: Sendable {
  private let subscription: any JobSubscription
  private let pool: PoolName
  private let logger: Logger
  private let detector: Mutex<StallDetector>
  private let interval: Duration

  /// - Parameter stallTimeout: how long nothing may arrive before the queue is looked at.
  init(_ subscription: any JobSubscription, pool: PoolName, stallTimeout: Duration, logger: Logger) {
    self.subscription = subscription
    self.pool = pool
    self.logger = logger
    detector = Mutex(StallDetector(stallTimeout: stallTimeout, now: TimeSource.now))
    interval = stallTimeout / 10
  }

  /// True while jobs wait in the queue and none arrives.
  var isStalled: Bool { detector.withLock { $0.isStalled } }

  /// Jobs arrived.
  func arrived() { detector.withLock { $0.arrived(TimeSource.now) } }

  /// Watches until the task is cancelled.
  ///
  /// - Parameter hasCapacity: whether more jobs are wanted.
  func run(hasCapacity: @Sendable () -> Bool) async {
    while !Task.isCancelled {
      try? await TimeSource.sleep(for: interval)
      // A flow that is known to be interrupted is being restarted already.
      let wants = hasCapacity() && subscription.isConsuming
      guard detector.withLock({ $0.shouldCheckQueue(TimeSource.now, hasCapacity: wants) }) else { continue }
      let waiting = try? await subscription.queuedCount()
      guard !Task.isCancelled, detector.withLock({ $0.shouldRestart(waiting, TimeSource.now) }) else { continue }
      logger.error(
        "jobs wait and none arrives; the flow is restarted",
        metadata: ["pool": "\(pool)", "waiting": "\(waiting ?? 0)"])
      JobMetrics.restarted(pool: pool)
      subscription.restart()
    }
  }
}
