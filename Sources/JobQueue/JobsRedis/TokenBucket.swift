internal import Jobs

/// One limit's state: the generic cell rate algorithm, a token bucket that needs one number only.
///
/// That number is the time at which the bucket would be full again; each turn moves it on by one interval.
struct TokenBucket {
  private var fullAt: ContinuousClock.Instant?

  /// Takes a turn if it lies within `waitMax`.
  mutating func take(_ limit: RateLimit, waitMax: Duration, now: ContinuousClock.Instant) -> RateLimitDecision {
    let start = max(fullAt ?? now, now)
    let wait = max(.zero, start - now - limit.interval * (limit.burst - 1))
    guard wait <= waitMax else { return .denied(after: wait) }
    fullAt = start + limit.interval
    return .turn(in: wait)
  }

  /// True where the bucket is full: it need not be kept.
  func isFull(_ now: ContinuousClock.Instant) -> Bool { fullAt.map { $0 <= now } ?? true }
}
