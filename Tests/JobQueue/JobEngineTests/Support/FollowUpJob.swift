import Jobs
import JobsTesting

/// A job that echo jobs enqueue as their follow-up, in a pool of its own.
struct FollowUpJob: Job, Equatable {
  static let kind: JobKind = "test.follow_up"
  var name: String
}

let followUpJobs: PoolName = "followUpJobs"

/// Records the job's name as its effect.
struct FollowUpWorker: Worker {
  func work(_ job: FollowUpJob, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, _ in
      transaction.record(job.name)
      return .completed
    }
  }
}
