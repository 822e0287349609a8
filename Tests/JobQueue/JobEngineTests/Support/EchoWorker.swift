import Jobs
import JobsTesting

/// Runs echo jobs with a body that the test passes in.
struct EchoWorker: Worker {
  typealias Body = @Sendable (EchoJob, JobContext<InMemoryTransaction>) async throws -> JobOutcome
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  func work(_ job: EchoJob, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    try await body(job, context)
  }

  /// Records the job's name as its effect.
  static let simple: Body = { job, context in
    try await context.complete { transaction, _ in
      transaction.record(job.name)
      return .completed
    }
  }
}
