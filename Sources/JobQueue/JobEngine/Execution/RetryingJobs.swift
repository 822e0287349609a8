internal import ClientLoop
internal import Synchronization

/// How many jobs of a pool this node has put into the broker's retry tiers and are still there. The broker knows only
/// how many jobs of all pools are in a tier.
final class RetryingJobs: Sendable {
  /// Jobs by the second in which they return; at most one entry for each second of the longest tier.
  private let returning = Mutex<[Int64: Int]>([:])
  private let start = TimeSource.now

  /// A job counts for so much longer, because tiers are a little late.
  private static var reserve: Duration { .seconds(1) }

  /// A job is in the tier of this delay.
  func added(to tier: Duration) {
    let second = seconds(TimeSource.now + tier + Self.reserve)
    returning.withLock { $0[second, default: 0] += 1 }
  }

  var count: Int {
    let now = seconds(TimeSource.now)
    return returning.withLock { returning in
      for second in returning.keys where second < now { returning[second] = nil }
      return returning.values.reduce(0, +)
    }
  }

  private func seconds(_ instant: ContinuousClock.Instant) -> Int64 { (instant - start).components.seconds }
}
