internal import ClientLoop

/// What a started job, or a batch, holds of its pool: its deliveries, for as long as the broker allows, and a worker's
/// place, which it can leave to others while it waits.
struct WorkerSlot: Sendable {
  /// When the oldest of its deliveries arrived.
  let arrivedAt: ContinuousClock.Instant
  /// Leaves the place to another job; false: too many have left theirs, and this one keeps it.
  let leave: @Sendable () -> Bool
  /// Takes a place that was left. The pool may then run one job more than its size.
  let takeBack: @Sendable () -> Void

  /// RabbitMQ closes the channel of a consumer that has held a message for 30 minutes (consumer_timeout), and then
  /// delivers everything on it again. Two minutes are left for settling and for the broker, which looks once a minute.
  static let holdMax = Duration.seconds(28 * 60)

  /// After this instant an attempt of this timeout could be longer than the broker waits.
  func lastStart(_ timeout: Duration) -> ContinuousClock.Instant { arrivedAt + Self.holdMax - timeout }
}
