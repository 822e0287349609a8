internal import ClientLoop
internal import Jobs
internal import Synchronization

/// Lets a pool's jobs begin no faster than its rate limit allows.
final class PoolThrottle: Sendable {
  private let pool: PoolName
  private let limit: RateLimit
  private let limiter: any RateLimiter
  private let nodeCount = Atomic(1)

  /// A worker waits this long for its turn; a job whose turn is further away goes back into the line.
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

  /// Waits for the job's turn; returns how long to put it off where that is too far away.
  func wait(_ key: String?) async -> Duration? {
    let name = key.map { "\(pool):\($0)" } ?? pool.rawValue
    switch await limiter.take(name, limit, waitMax: Self.waitMax, nodes: nodes) {
    case .turn(let wait):
      if wait > .zero { try? await TimeSource.sleep(for: wait) }
      return nil
    // Drawn, so that those who were sent away together do not return together.
    case .denied(let pause):
      var generator = TimeSource.generator
      return pause + pause * Double.random(in: 0...0.3, using: &generator)
        + .milliseconds(Int64.random(in: 0...500, using: &generator))
    }
  }
}
