/// What a worker says of a job it has worked on. Throwing instead is a failed attempt.
public enum JobOutcome: Sendable, Equatable {
  /// The job is done.
  case completed
  /// Not yet: try again after the pause. No attempt is spent, and nothing the transaction did stays.
  case snoozed(for: Duration, reason: String)
  /// The job will never be done, and that is right so; the reason is recorded and must hold no personal data.
  case discarded(reason: String)
}

/// An error that knows what it means for the job. Errors without this are retried.
public protocol JobError: Error {
  /// True where another attempt cannot succeed: the job is dead at once.
  var isPermanent: Bool { get }
}

/// Why a job died.
public enum DeathReason: String, Sendable, Codable, CaseIterable {
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
  /// The body is larger than ``JobCodec/bodyBytesMax``.
  case oversize
  /// The body is of a newer shape than the worker knows.
  case newerSchema = "newer_schema"
}
