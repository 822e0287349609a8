/// Decides when a silent consumer's queue is read, and when the consumer is restarted: a state machine without I/O.
///
/// A consumer can be alive on both sides and get nothing all the same (a broker that lost it in a restart or a change
/// of leader). The only proof is a queue with ready jobs of which none is delivered. When two checks in a row find
/// that, the consumer is restarted; each further time only after twice as long, to spare a broker that is overloaded.
struct StallDetector {
  /// How long nothing may arrive before the queue's depth is read.
  let stallTimeout: Duration
  /// The longest that the timeout grows to after restarts that did not help.
  static let stallTimeoutMax = Duration.seconds(300)

  private var lastActivityAt: ContinuousClock.Instant
  private var failedRestarts = 0
  /// Jobs are ready and none is delivered.
  private(set) var isStalled = false

  init(stallTimeout: Duration, now: ContinuousClock.Instant) {
    self.stallTimeout = stallTimeout
    lastActivityAt = now
  }

  mutating func arrived(_ now: ContinuousClock.Instant) {
    lastActivityAt = now
    failedRestarts = 0
    isStalled = false
  }

  /// True when the queue's depth should be read.
  ///
  /// - Parameter hasCapacity: false: the buffer is full, so silence is expected.
  mutating func shouldCheckQueue(_ now: ContinuousClock.Instant, hasCapacity: Bool) -> Bool {
    guard hasCapacity else {
      lastActivityAt = now
      isStalled = false
      return false
    }
    return now - lastActivityAt >= checkInterval
  }

  /// Takes the number of ready jobs (nil: it could not be read); returns true when the consumer is to be restarted.
  mutating func shouldRestart(_ ready: Int?, _ now: ContinuousClock.Instant) -> Bool {
    guard let ready else { return false }
    lastActivityAt = now
    guard ready > 0 else {
      failedRestarts = 0
      isStalled = false
      return false
    }
    defer { isStalled = true }
    guard isStalled else { return false }
    failedRestarts += 1
    return true
  }

  /// Between the first reading and the second a third of the timeout is enough.
  private var checkInterval: Duration {
    if isStalled, failedRestarts == 0 { return stallTimeout / 3 }
    return min(stallTimeout * (1 << min(failedRestarts, 16)), Self.stallTimeoutMax)
  }
}
