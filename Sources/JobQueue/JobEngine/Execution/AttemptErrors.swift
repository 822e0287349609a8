internal import JobConfiguration
internal import Jobs

/// The attempt took longer than its timeout.
struct AttemptTimedOut: Error, CustomStringConvertible {
  let after: Duration
  var description: String { "the attempt took longer than \(after.compactText)" }
}

/// A batch worker must return one outcome for each job.
struct OutcomeCountMismatch: JobError, CustomStringConvertible {
  let jobs: Int
  let outcomes: Int
  var isPermanent: Bool { true }
  var description: String { "worker returned \(outcomes) outcomes for a batch of \(jobs) jobs" }
}
