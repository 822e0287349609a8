/// What follows from an error inside ``retrying(until:backoff:decide:_:)``.
package enum RetryStep: Sendable {
  /// Run the body again after the backoff's next delay.
  case retry
  /// Run it again after this delay; the backoff stays where it is.
  case retryAfter(Duration)
  /// Throw the error.
  case giveUp
}

/// Runs `body` until it succeeds.
///
/// Throws what `body` threw where `decide` gives up, or where the next delay would pass the deadline (nil: there is
/// none); throws `CancellationError` where the task is cancelled, also while it waits.
///
/// - Parameter decide: what follows from an error; called once for each, so it may count and log. By default every
///   error is retried.
/// - Parameter body: gets the backoff, which it may reset: a body that runs for long does so once it is connected.
package func retrying<Value>(
  until deadline: ContinuousClock.Instant? = nil, backoff initial: Backoff = Backoff(),
  decide: (any Error) -> RetryStep = { _ in .retry }, _ body: (inout Backoff) async throws -> Value
) async throws -> Value {
  var backoff = initial
  while true {
    try Task.checkCancellation()
    do { return try await body(&backoff) } catch {
      try Task.checkCancellation()
      let delay: Duration
      switch decide(error) {
      case .retry: delay = backoff.next()
      case .retryAfter(let fixed): delay = fixed
      case .giveUp: throw error
      }
      if let deadline, TimeSource.now + delay >= deadline { throw error }
      try await TimeSource.sleep(for: delay)
    }
  }
}
