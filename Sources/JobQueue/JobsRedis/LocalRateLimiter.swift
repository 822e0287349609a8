package import Jobs
internal import Synchronization

/// Rate limits of this process alone: each of `nodes` nodes takes its even part of the limit.
///
/// Full buckets are dropped, so memory is bounded by the keys in use.
package final class LocalRateLimiter: RateLimiter {
  private let buckets = Mutex<[String: TokenBucket]>([:])
  /// Above this many keys the full buckets are dropped.
  private static let sweepAt = 1_000

  package init() {}

  package func take(_ key: String, _ limit: RateLimit, waitMax: Duration, nodes: Int) async -> RateLimitDecision {
    let part = RateLimit(count: limit.count, per: limit.period * max(1, nodes))
    let now = ContinuousClock.now
    return buckets.withLock { buckets in
      if buckets.count > Self.sweepAt { buckets = buckets.filter { !$0.value.isFull(now) } }
      return buckets[key, default: TokenBucket()].take(part, waitMax: waitMax, now: now)
    }
  }
}
