/// How many jobs may begin in a stretch of time.
package struct RateLimit: Sendable, Equatable {
  /// Jobs per ``period``, 1 or more.
  package var count: Int
  /// The stretch, more than zero.
  package var period: Duration

  /// Takes the values as they are; queues.yaml's (`80/s`, `600/m`) are checked where they are read.
  package init(count: Int, per period: Duration) {
    self.count = count
    self.period = period
  }

  /// The time between two jobs at the full rate.
  package var interval: Duration { period / max(1, count) }
  /// Jobs that may begin at once after a quiet time: a tenth of the count, and at least one.
  package var burst: Int { max(1, count / 10) }
}

/// What a rate limiter says to a job that wants to begin.
package enum RateLimitDecision: Sendable, Equatable {
  /// The job has a turn, in so long: zero for at once.
  case turn(in: Duration)
  /// No turn is to be had soon; ask again after so long.
  case denied(after: Duration)
}

/// The port to rate limits that hold over all nodes. It is soft: where its store is away, each node keeps to its part
/// of the limit by itself.
package protocol RateLimiter: Sendable {
  /// Takes a turn for one job.
  ///
  /// - Parameter key: whose limit it is; jobs with the same key share it.
  /// - Parameter waitMax: a turn further away than this is not taken.
  /// - Parameter nodes: how many nodes share the limit, for the time without a common store.
  func take(_ key: String, _ limit: RateLimit, waitMax: Duration, nodes: Int) async -> RateLimitDecision
}
