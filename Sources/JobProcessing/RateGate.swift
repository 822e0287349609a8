internal import Jobs
internal import Synchronization
internal import Wires

/// Lets a pool's jobs begin no faster than its rate limit allows.
final class RateGate: Sendable {
  private let pool: PoolName
  private let limit: RateLimit
  private let limiter: any RateLimiter
  private let sharers = Atomic(1)

  /// A worker waits this long for its turn; a job whose turn is further away goes back into the line.
  private static let patience = Duration.seconds(1)

  init(pool: PoolName, limit: RateLimit, limiter: any RateLimiter) {
    self.pool = pool
    self.limit = limit
    self.limiter = limiter
  }

  /// How many nodes share the limit.
  var nodes: Int {
    get { sharers.load(ordering: .relaxed) }
    set { sharers.store(newValue, ordering: .relaxed) }
  }

  /// Waits for the job's turn; returns how long to put it off where that is too far away.
  func pass(_ key: String?) async -> Duration? {
    let name = key.map { "\(pool):\($0)" } ?? pool.rawValue
    switch await limiter.take(name, limit, patience: Self.patience, nodes: nodes) {
    case .turn(let wait):
      if wait > .zero { try? await CurrentRuntime.sleep(for: wait) }
      return nil
    // Drawn, so that those who were sent away together do not return together.
    case .comeBack(let pause):
      var generator = CurrentRuntime.generator
      return pause + pause * Double.random(in: 0...0.3, using: &generator)
        + .milliseconds(Int64.random(in: 0...500, using: &generator))
    }
  }
}
