internal import Hummingbird
internal import Synchronization

/// A limit on the total weight of what is under way.
final class ConcurrencyLimit: Sendable {
  private let max: Int
  /// Names the limit in the metric of what was refused; nil: it is counted elsewhere.
  private let name: String?
  private let used = Mutex(0)

  init(max: Int, name: String? = nil) {
    self.max = max
    self.name = name
  }

  /// Reserves the weight; false where that would exceed the limit.
  func tryAcquire(_ weight: Int = 1) -> Bool {
    let isAcquired = used.withLock { used in
      guard used + weight <= max else { return false }
      used += weight
      return true
    }
    if !isAcquired, let name { HTTPMetrics.refused(by: name) }
    return isAcquired
  }

  func release(_ weight: Int = 1) { used.withLock { $0 -= weight } }
}

/// Answers 503 at once while too many requests are under way, instead of serving all of them slowly.
struct ConcurrencyLimitMiddleware<Context: RequestContext>: RouterMiddleware {
  let limit: ConcurrencyLimit

  @concurrent
  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard limit.tryAcquire() else {
      throw Problem.unavailable("too many requests are under way; try again", retryAfter: 1)
    }
    defer { limit.release() }
    return try await next(request, context)
  }
}
