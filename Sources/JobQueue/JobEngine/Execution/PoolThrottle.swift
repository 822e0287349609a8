internal import ClientLoop
internal import Jobs
internal import Synchronization

/// Starts a pool's jobs no faster than its rate limit allows.
final class PoolThrottle: Sendable {
  private let pool: PoolName
  private let limit: RateLimit
  private let limiter: any RateLimiter
  private let nodeCount = Atomic(1)

  /// A worker waits at most this long; a job that would have to wait longer is snoozed.
  private static let waitMax = Duration.seconds(1)

  init(pool: PoolName, limit: RateLimit, limiter: any RateLimiter) {
    self.pool = pool
    self.limit = limit
    self.limiter = limiter
  }

  /// How many nodes share the limit.
  var nodes: Int {
    get { nodeCount.load(ordering: .relaxed) }
    set { nodeCount.store(newValue, ordering: .relaxed) }
  }

  /// Waits until the job may start; where that would take too long, returns how long to snooze it.
  func wait(_ key: String?) async -> Duration? {
    let name = key.map { "\(pool):\($0)" } ?? pool.rawValue
    switch await limiter.take(name, limit, waitMax: Self.waitMax, nodes: nodes) {
    case .allowed(let wait):
      if wait > .zero { try? await TimeSource.sleep(for: wait) }
      return nil
    // The delay is drawn, so that jobs denied together do not return together.
    case .denied(let delay):
      var generator = TimeSource.generator
      return delay + delay * Double.random(in: 0...0.3, using: &generator)
        + .milliseconds(Int64.random(in: 0...500, using: &generator))
    }
  }
}
