internal import ClientLoop
internal import Jobs
internal import Logging
internal import Metrics
internal import Synchronization

/// Watches one subscription and restarts its consumer when jobs are ready and none is delivered; see ``StallDetector``.
final class StallMonitor: Sendable {
  private let subscription: any JobSubscription
  private let pool: PoolName
  private let logger: Logger
  private let detector: Mutex<StallDetector>
  private let interval: Duration
  private let restarts: MetricCounter

  /// - Parameter stallTimeout: how long nothing may arrive before the queue's depth is read.
  init(_ subscription: any JobSubscription, pool: PoolName, stallTimeout: Duration, logger: Logger) {
    self.subscription = subscription
    self.pool = pool
    self.logger = logger
    detector = Mutex(StallDetector(stallTimeout: stallTimeout, now: TimeSource.now))
    interval = stallTimeout / 10
    restarts = MetricCounter(label: JobMetrics.consumerRestarts, dimensions: [("pool", pool.rawValue)])
  }

  /// True while jobs are ready in the queue and none is delivered.
  var isStalled: Bool { detector.withLock { $0.isStalled } }

  func arrived() { detector.withLock { $0.arrived(TimeSource.now) } }

  /// Watches until the task is cancelled.
  ///
  /// - Parameter hasCapacity: whether more jobs may be delivered at all.
  func run(hasCapacity: @Sendable () -> Bool) async {
    while !Task.isCancelled {
      try? await TimeSource.sleep(for: interval)
      // A consumer that is known to be lost is being restarted already.
      let isExpecting = hasCapacity() && subscription.isConsuming
      guard detector.withLock({ $0.shouldCheckQueue(TimeSource.now, hasCapacity: isExpecting) }) else { continue }
      let ready = try? await subscription.queuedCount()
      guard !Task.isCancelled, detector.withLock({ $0.shouldRestart(ready, TimeSource.now) }) else { continue }
      logger.error(
        "consumer stalled: jobs are ready but none is delivered; restarting it",
        metadata: ["pool": "\(pool)", "ready": "\(ready ?? 0)"])
      restarts.increment()
      subscription.restart()
    }
  }
}
