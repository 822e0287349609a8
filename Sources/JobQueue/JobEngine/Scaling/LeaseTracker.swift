internal import Synchronization

/// When the lease was last renewed, and with it the settings read.
final class LeaseTracker: Sendable {
  private let last = Mutex<ContinuousClock.Instant?>(nil)

  /// True once the lease was renewed for the first time.
  var hasBegun: Bool { last.withLock { $0 != nil } }

  func renewed(at now: ContinuousClock.Instant) { last.withLock { $0 = now } }

  /// True where the last renewal is longer ago than the limit: the other nodes consider this one gone.
  func isOverdue(_ limit: Duration, at now: ContinuousClock.Instant) -> Bool {
    last.withLock { $0.map { $0 + limit < now } ?? false }
  }
}
