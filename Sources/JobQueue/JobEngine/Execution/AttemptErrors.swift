internal import JobConfiguration
internal import Jobs

/// An attempt that outlasted its pool's timeout.
struct AttemptTimedOut: Error, CustomStringConvertible {
  let after: Duration
  var description: String { "the attempt took longer than \(after.compactText)" }
}

/// A batch worker that broke its contract.
struct OutcomeCountMismatch: JobError, CustomStringConvertible {
  let jobs: Int
  let outcomes: Int
  var isPermanent: Bool { true }
  var description: String { "the worker gave \(outcomes) outcomes for a batch of \(jobs) jobs" }
}

/// A follow-up of a kind that is in no pool: a fault of the program or of queues.yaml.
struct UnroutedKind: JobError, CustomStringConvertible {
  let kind: JobKind
  var isPermanent: Bool { false }
  var description: String { "a follow-up job's kind \(kind) is in no pool of queues.yaml" }
}
