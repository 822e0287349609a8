/// How many jobs may begin in a period.
package struct RateLimit: Sendable, Equatable {
  /// Jobs per ``period``, 1 or more.
  package var count: Int
  /// More than zero.
  package var period: Duration

  package init(count: Int, per period: Duration) {
    self.count = count
    self.period = period
  }

  /// The time between two jobs at the full rate.
  package var interval: Duration { period / max(1, count) }
  /// Jobs that may begin at once after an idle time: a tenth of the count, and at least one.
  package var burst: Int { max(1, count / 10) }
}

/// A rate limiter's answer.
package enum RateLimitDecision: Sendable, Equatable {
  /// The job may begin after this delay; zero: at once. Its token is taken.
  case allowed(after: Duration)
  /// No token is available within the longest wait, and none is taken. Ask again after this delay.
  case denied(retryAfter: Duration)
}

/// The port to rate limits that hold over all nodes.
///
/// The limits are soft: while the store is unavailable each node limits itself to its even part.
package protocol RateLimiter: Sendable {
  /// Takes a token for one job.
  ///
  /// - Parameter key: jobs with the same key share the limit.
  /// - Parameter waitMax: a token that is available only after this wait is not taken.
  /// - Parameter nodes: how many nodes share the limit; used while the store is unavailable.
  func take(_ key: String, _ limit: RateLimit, waitMax: Duration, nodes: Int) async -> RateLimitDecision
}
