/// When a silent flow of jobs is asked after, and when it is rebuilt: a state machine without I/O.
///
/// A consumer can be alive on both sides and get nothing all the same (a broker that lost it in a restart or a change of
/// leader). The one proof is a queue with waiting jobs of which none arrives. Seen twice, with some time in between,
/// the flow is rebuilt; each further time only after twice as long, so that a broker in trouble is not hammered.
struct StallDetector {
  /// So long nothing may arrive before the queue is looked at.
  let stallTimeout: Duration
  /// The longest it grows to after rebuilding in vain.
  static let stallTimeoutMax = Duration.seconds(300)

  private var lastActivityAt: ContinuousClock.Instant
  private var failedRestarts = 0
  /// Jobs wait and none arrives.
  private(set) var isStalled = false

  init(stallTimeout: Duration, now: ContinuousClock.Instant) {
    self.stallTimeout = stallTimeout
    lastActivityAt = now
  }

  /// Jobs arrived.
  mutating func arrived(_ now: ContinuousClock.Instant) {
    lastActivityAt = now
    failedRestarts = 0
    isStalled = false
  }

  /// True when the queue should be asked how many jobs wait.
  ///
  /// - Parameter hasCapacity: whether more jobs are wanted at all; a full hand is no stallTimeout.
  mutating func shouldCheckQueue(_ now: ContinuousClock.Instant, hasCapacity: Bool) -> Bool {
    guard hasCapacity else {
      lastActivityAt = now
      isStalled = false
      return false
    }
    return now - lastActivityAt >= checkInterval
  }

  /// What the queue said, nil where it could not be asked; returns true when the flow is to be rebuilt.
  mutating func shouldRestart(_ waiting: Int?, _ now: ContinuousClock.Instant) -> Bool {
    guard let waiting else { return false }
    lastActivityAt = now
    guard waiting > 0 else {
      failedRestarts = 0
      isStalled = false
      return false
    }
    defer { isStalled = true }
    guard isStalled else { return false }
    failedRestarts += 1
    return true
  }

  /// Between the first look and the second a third of the stallTimeout is enough.
  private var checkInterval: Duration {
    if isStalled, failedRestarts == 0 { return stallTimeout / 3 }
    return min(stallTimeout * (1 << min(failedRestarts, 16)), Self.stallTimeoutMax)
  }
}
