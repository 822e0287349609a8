/// What follows a failed attempt.
public enum RetryDecision: Sendable, Equatable {
  /// The job is retried after the delay of the pool's retry policy, or dead after the last attempt.
  case `default`
  /// The job is retried no sooner than after this delay, which replaces the policy's. The attempt counts: after the
  /// last one the job is dead.
  case after(Duration)
  /// No other attempt can succeed: the job is dead at once.
  case never

  /// ``never`` for a permanent ``JobError``, ``default`` for every other error.
  public init(_ error: any Error) { self = (error as? any JobError)?.isPermanent == true ? .never : .default }
}

/// An error that says whether another attempt can succeed. Errors that do not conform are retried.
public protocol JobError: Error {
  /// True: no other attempt can succeed, and the job is dead at once.
  var isPermanent: Bool { get }
}
