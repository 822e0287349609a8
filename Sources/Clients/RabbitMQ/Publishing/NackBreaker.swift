/// Negative confirms for one destination without a positive one in between: a state machine without I/O.
///
/// A node that was connected to the leader of a quorum queue, and reconnects while a new one is being elected, may get
/// a channel that goes on asking the dead leader: RabbitMQ 3.10 then refuses whatever is published to that queue there,
/// until that node is back, though the queue is well, and others on the same channel too. Only a new connection helps,
/// so a streak of nacks ends the old one.
struct NackBreaker {
  /// So long, and so often, everything must be nacked.
  static let tripAfter = Duration.seconds(1)
  static let tripCount = 3
  /// The time doubles with each connection that did not help, up to this: where a queue is full the others must not
  /// suffer for it.
  static let tripAfterMax = Duration.seconds(32)

  private var since: ContinuousClock.Instant?
  private var count = 0
  private var threshold = Self.tripAfter

  /// The broker nacked a message; true when the connection should be given up.
  mutating func nacked(at now: ContinuousClock.Instant) -> Bool {
    count += 1
    guard let since else {
      since = now
      return false
    }
    guard count >= Self.tripCount, now - since >= threshold else { return false }
    threshold = min(threshold * 2, Self.tripAfterMax)
    reset()
    return true
  }

  /// There is another connection: what counts is what it refuses.
  mutating func reset() {
    since = nil
    count = 0
  }
}
