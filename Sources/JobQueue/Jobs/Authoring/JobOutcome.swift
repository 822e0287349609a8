/// The outcome of an attempt. A worker that throws instead has failed the attempt.
public enum JobOutcome: Sendable, Equatable {
  /// The job is done.
  case completed
  /// The job is to run again after the delay. No attempt is spent, and the transaction is rolled back.
  case snoozed(for: Duration, reason: String)
  /// The job ends on purpose without an effect, because it is stale, expired or not wanted any more. The reason is
  /// recorded and must hold no personal data.
  case cancelled(reason: String)
}
