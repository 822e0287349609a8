package import Jobs
internal import Synchronization

/// A rate limiter that says what a test tells it to, and otherwise gives every job its turn at once.
package final class InMemoryRateLimiter: RateLimiter {
  private struct State {
    var planned: [RateLimitDecision] = []
    var asked: [(key: String, nodes: Int)] = []
  }
  private let state = Mutex(State())

  /// Every job has its turn at once.
  package init() {}

  /// Plans the next answers, in order.
  package func plan(_ decisions: RateLimitDecision...) { state.withLock { $0.planned += decisions } }

  /// What was asked for, in order.
  package var asked: [(key: String, nodes: Int)] { state.withLock { $0.asked } }

  /// Gives the next planned answer, or a turn at once.
  package func take(_ key: String, _ limit: RateLimit, waitMax: Duration, nodes: Int) async -> RateLimitDecision {
    state.withLock { state in
      state.asked.append((key, nodes))
      return state.planned.isEmpty ? .turn(in: .zero) : state.planned.removeFirst()
    }
  }
}
