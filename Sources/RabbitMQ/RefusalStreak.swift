/// Negative confirms without a positive one in between: a state machine without I/O.
///
/// A node that was connected to the leader of a quorum queue, and reconnects while a new one is being elected, may get
/// a channel that goes on asking the dead leader: RabbitMQ 3.10 then refuses whatever is published there, until that
/// node is back, though the queue is well. Only a new connection helps, so a streak of refusals ends the old one.
struct RefusalStreak {
  /// So long, and so often, everything must be refused. Where a queue is full, or has lost its majority, a connection
  /// each second does no harm.
  static let duration = Duration.seconds(1)
  static let countMin = 3

  private var since: ContinuousClock.Instant?
  private var count = 0

  /// The broker's word on some messages; true when the connection should be given up.
  mutating func confirmed(positive: Bool, at now: ContinuousClock.Instant) -> Bool {
    guard !positive else {
      self = RefusalStreak()
      return false
    }
    count += 1
    guard let since else {
      since = now
      return false
    }
    guard count >= Self.countMin, now - since >= Self.duration else { return false }
    self = RefusalStreak()
    return true
  }
}
