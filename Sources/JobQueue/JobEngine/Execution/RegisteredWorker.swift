internal import Jobs

/// A worker without its job's type.
struct RegisteredWorker<Transaction: Sendable>: Sendable {
  typealias SingleHandler = @Sendable (any Job, JobContext<Transaction>) async throws -> JobOutcome
  typealias BatchHandler = @Sendable ([(any Job, JobInfo)], Transaction, inout FollowUps) async throws -> [JobOutcome]

  enum Handler: Sendable {
    case single(SingleHandler)
    case batch(BatchHandler)
  }

  let kind: JobKind
  let minimumTimeout: Duration
  let decode: @Sendable (JobEnvelope) throws -> any Job
  let decideRetry: @Sendable (_ error: any Error, _ attempt: Int) -> RetryDecision
  let handler: Handler

  var takesBatches: Bool { if case .batch = handler { true } else { false } }
}
