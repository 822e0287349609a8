package import Jobs
internal import Synchronization

/// A rate limiter that gives planned answers, and otherwise allows every job at once.
package final class InMemoryRateLimiter: RateLimiter {
  private struct State {
    var planned: [RateLimitDecision] = []
    var asked: [(key: String, nodes: Int)] = []
  }
  private let state = Mutex(State())

  package init() {}

  package func plan(_ decisions: RateLimitDecision...) { state.withLock { $0.planned += decisions } }

  package func plan(repeating decision: RateLimitDecision, times: Int) {
    state.withLock { $0.planned += Array(repeating: decision, count: times) }
  }

  /// The requests, in order.
  package var asked: [(key: String, nodes: Int)] { state.withLock { $0.asked } }

  package func take(_ key: String, _ limit: RateLimit, waitMax: Duration, nodes: Int) async -> RateLimitDecision {
    state.withLock { state in
      state.asked.append((key, nodes))
      return state.planned.isEmpty ? .allowed(after: .zero) : state.planned.removeFirst()
    }
  }
}
