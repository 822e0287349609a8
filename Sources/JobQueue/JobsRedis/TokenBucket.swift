internal import Jobs

/// One limit's state: the generic cell rate algorithm, a token bucket that stores one number only.
///
/// That number is the time at which the bucket is full again; each token taken moves it by one interval.
struct TokenBucket {
  private var fullAt: ContinuousClock.Instant?

  /// Takes a token if one is available within `waitMax`.
  mutating func take(_ limit: RateLimit, waitMax: Duration, now: ContinuousClock.Instant) -> RateLimitDecision {
    let start = max(fullAt ?? now, now)
    let wait = max(.zero, start - now - limit.interval * (limit.burst - 1))
    guard wait <= waitMax else { return .denied(retryAfter: wait) }
    fullAt = start + limit.interval
    return .allowed(after: wait)
  }

  /// A full bucket need not be kept.
  func isFull(_ now: ContinuousClock.Instant) -> Bool { fullAt.map { $0 <= now } ?? true }
}
