/// What a worker says of a job it has worked on. Throwing instead is a failed attempt.
public enum JobOutcome: Sendable, Equatable {
  /// The job is done.
  case completed
  /// Not yet: try again after the pause. No attempt is spent, and nothing the transaction did stays.
  case snoozed(for: Duration, reason: String)
  /// The job will never be done, and that is right so; the reason is recorded and must hold no personal data.
  case cancelled(reason: String)
}

/// An error that knows what it means for the job. Errors without this are retried.
public protocol JobError: Error {
  /// True where another attempt cannot succeed: the job is dead at once.
  var isPermanent: Bool { get }
}

/// What is to become of a job after a failed attempt.
public enum RetryDecision: Sendable, Equatable {
  /// Tried again after the pause of the pool's retry policy, or dead after the last attempt.
  case `default`
  /// Tried again no sooner than after this pause, for one who knows better than the policy; the attempts are counted
  /// all the same.
  case after(Duration)
  /// No other attempt can succeed: dead at once.
  case never

  /// What an error says of itself: ``JobError``s may be permanent, all others get the default.
  public init(_ error: any Error) { self = (error as? any JobError)?.isPermanent == true ? .never : .default }
}

/// Why a job died.
public enum DeadLetterReason: String, Sendable, Codable, CaseIterable {
  /// Every attempt failed.
  case attemptsExhausted = "attempts_exhausted"
  /// An attempt failed with an error that says no other can succeed.
  case permanentError = "permanent_error"
  /// Several processes died while they worked on it.
  case crashed
  /// No worker of the pool knows the kind.
  case unknownKind = "unknown_kind"
  /// The message's properties or body cannot be read.
  case unreadable
  /// The body is larger than ``JobCodec/maxBodyBytes``.
  case oversize
  /// The body is of a newer shape than the worker knows.
  case newerSchema = "newer_schema"
}
