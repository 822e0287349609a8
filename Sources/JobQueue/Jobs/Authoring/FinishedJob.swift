/// A job whose completing transaction is about to commit, for whatever counts jobs.
public struct FinishedJob: Sendable {
  /// The kind of job.
  public let kind: JobKind
  /// What is known of the job besides its value.
  public let info: JobInfo
  /// Completed or cancelled; a snoozed job is not finished.
  public let outcome: JobOutcome

  package init(kind: JobKind, info: JobInfo, outcome: JobOutcome) {
    self.kind = kind
    self.info = info
    self.outcome = outcome
  }
}
