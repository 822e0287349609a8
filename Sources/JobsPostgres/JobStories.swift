public import Foundation
public import Jobs
public import Postgres

/// What the ledger knows of jobs, step by step.
public struct JobStories: Sendable {
  /// One step.
  public struct Step: Sendable, Equatable {
    /// When.
    public let at: Date
    /// What happened, in a few words.
    public let what: String
    /// More of it: kind and pool, a reason. Never personal data.
    public let detail: String
    /// The job.
    public let job: JobID
  }

  private let pool: PostgresPool

  /// Reads through the pool's connections.
  public init(pool: PostgresPool) { self.pool = pool }

  /// The steps of these jobs, in no particular order. That a job was enqueued is told by its id, where anything else is
  /// known of it: a UUIDv7 holds its time.
  public func steps(of jobs: [JobID]) async throws -> [Step] {
    guard !jobs.isEmpty else { return [] }
    let ids = jobs.map(\.uuid)
    let steps = try await pool.query(
      """
      SELECT job_id, at, 'job ' || outcome, kind || ' in ' || pool || coalesce(': ' || reason, '')
          || CASE WHEN run > 1 THEN ' (run ' || run || ')' ELSE '' END
        FROM jobs.receipt WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, last_at, 'job died', kind || ' in ' || pool || ': ' || reason || ', ' || state
        FROM jobs.dead_letter WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, at, 'job waits in the outbox', 'for ' || pool FROM jobs.outbox
        WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, due_at, 'job is due', 'in ' || pool FROM jobs.delayed WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, at, 'job started again', 'on ' || node FROM jobs.start_marker
        WHERE job_id = ANY(\(ids)::uuid[])
      """
    ).map {
      Step(
        at: try $0.decode(1), what: try $0.decode(2), detail: try $0.decode(3),
        job: JobID(try $0.decode(0, as: UUID.self)))
    }
    let known = Set(steps.map(\.job))
    let enqueued = known.compactMap { job in
      job.madeAt.map { Step(at: $0, what: "job enqueued", detail: "", job: job) }
    }
    return enqueued + steps
  }
}
