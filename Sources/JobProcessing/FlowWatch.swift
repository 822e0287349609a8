/// When a silent flow of jobs is asked after, and when it is rebuilt: a state machine without I/O.
///
/// A consumer can be alive on both sides and get nothing all the same (a broker that lost it in a restart or a change of
/// leader). The one proof is a queue with waiting jobs of which none arrives. Seen twice, with some time in between,
/// the flow is rebuilt; each further time only after twice as long, so that a broker in trouble is not hammered.
struct FlowWatch {
  /// So long nothing may arrive before the queue is looked at.
  let silence: Duration
  /// The longest it grows to after rebuilding in vain.
  static let silenceMax = Duration.seconds(300)

  private var lastSign: ContinuousClock.Instant
  private var vainRestarts = 0
  /// Jobs wait and none arrives.
  private(set) var isStalled = false

  init(silence: Duration, now: ContinuousClock.Instant) {
    self.silence = silence
    lastSign = now
  }

  /// Jobs arrived.
  mutating func arrived(_ now: ContinuousClock.Instant) {
    lastSign = now
    vainRestarts = 0
    isStalled = false
  }

  /// True when the queue should be asked how many jobs wait.
  ///
  /// - Parameter hasRoom: whether more jobs are wanted at all; a full hand is no silence.
  mutating func shouldAsk(_ now: ContinuousClock.Instant, hasRoom: Bool) -> Bool {
    guard hasRoom else {
      lastSign = now
      isStalled = false
      return false
    }
    return now - lastSign >= patience
  }

  /// What the queue said, nil where it could not be asked; returns true when the flow is to be rebuilt.
  mutating func answered(_ waiting: Int?, _ now: ContinuousClock.Instant) -> Bool {
    guard let waiting else { return false }
    lastSign = now
    guard waiting > 0 else {
      vainRestarts = 0
      isStalled = false
      return false
    }
    defer { isStalled = true }
    guard isStalled else { return false }
    vainRestarts += 1
    return true
  }

  /// Between the first look and the second a third of the silence is enough.
  private var patience: Duration {
    if isStalled, vainRestarts == 0 { return silence / 3 }
    return min(silence * (1 << min(vainRestarts, 16)), Self.silenceMax)
  }
}
