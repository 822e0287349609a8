/// A circuit breaker for nacks of one destination without an ack in between: a state machine without I/O.
///
/// A client that was connected to the leader of a quorum queue, and reconnects while a new one is being elected, may
/// get a channel that keeps asking the dead leader: RabbitMQ 3.10 then nacks all messages for that queue, and for
/// others on the same channel, until that broker node is back, although the queue is available. Only a new connection
/// helps, so a series of nacks ends the old one.
struct NackBreaker {
  /// Trips when all messages were nacked for this long, and at least ``tripCount`` times.
  static let tripAfter = Duration.seconds(1)
  static let tripCount = 3
  /// The time doubles with each connection that did not help, up to this: a full queue must not keep ending the
  /// connection that others need.
  static let tripAfterMax = Duration.seconds(32)

  private var since: ContinuousClock.Instant?
  private var count = 0
  private var threshold = Self.tripAfter

  /// The broker nacked a message; true where the connection should be aborted.
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

  /// Called for a new connection: only its nacks count.
  mutating func reset() {
    since = nil
    count = 0
  }
}
