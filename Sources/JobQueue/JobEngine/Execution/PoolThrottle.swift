internal import ClientLoop
internal import Jobs
internal import Synchronization

/// Starts a pool's jobs no faster than its rate limit allows.
///
/// A job that is denied waits in its worker: with all workers waiting the pool fetches nothing more, so its backlog
/// stays in its queue. Where jobs of several keys come, those of one key may hold half of the workers; the others are
/// snoozed until their turn, each once, so that they do not come back together only to be denied again.
final class PoolThrottle: Sendable {
  enum Decision: Equatable {
    case start
    case snooze(Duration)
    /// The pool is draining, or the task is cancelled.
    case requeue
  }

  private let pool: PoolName
  private let limit: RateLimit
  private let limiter: any RateLimiter
  private let state = Mutex(ThrottleState())

  /// A token that is available within this time is taken in advance.
  private static let reservationMax = Duration.seconds(1)
  /// A job waits in its worker for at most this long.
  private static let waitMax = Duration.seconds(60)

  init(pool: PoolName, limit: RateLimit, limiter: any RateLimiter) {
    self.pool = pool
    self.limit = limit
    self.limiter = limiter
  }

  /// - Parameter nodes: how many nodes share the limit.
  func resize(to localConcurrency: Int, nodes: Int) {
    state.withLock { state in
      state.workers = localConcurrency
      state.nodes = nodes
    }
  }

  /// Jobs that wait in their workers are requeued.
  func drain() { state.withLock { $0.isDraining = true } }

  /// Waits until the job may start.
  func wait(_ key: String?) async -> Decision {
    let name = key.map { "\(pool):\($0)" } ?? pool.rawValue
    let end = TimeSource.now + Self.waitMax
    let (mayWait, nodes) = state.withLock { ($0.enter(name, now: TimeSource.now), $0.nodes) }
    defer { if mayWait { state.withLock { $0.leave(name) } } }
    while true {
      switch await limiter.take(name, limit, waitMax: Self.reservationMax, nodes: nodes) {
      case .allowed(let wait):
        if wait > .zero { try? await TimeSource.sleep(for: wait) }
        return .start
      case .denied(let delay):
        if state.withLock({ $0.isDraining }) { return .requeue }
        guard mayWait, TimeSource.now + delay < end else {
          return .snooze(state.withLock { $0.turn(name, after: delay, limit.interval, now: TimeSource.now) })
        }
        // In short steps, because of draining; drawn, so that jobs denied together do not ask together.
        var generator = TimeSource.generator
        let step = min(delay, .milliseconds(500)) + .milliseconds(Int64.random(in: 1...50, using: &generator))
        do { try await TimeSource.sleep(for: step) } catch { return .requeue }
      }
    }
  }
}
