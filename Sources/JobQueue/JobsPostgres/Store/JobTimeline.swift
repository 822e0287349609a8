package import Foundation
package import Jobs
package import Postgres

/// What the store knows of jobs, step by step.
package struct JobTimeline: Sendable {
  /// One step.
  package struct Entry: Sendable, Equatable {
    /// When.
    package let at: Date
    /// What happened, in a few words.
    package let what: String
    /// More of it: kind and pool, a reason. Never personal data.
    package let detail: String
    /// The job.
    package let job: JobID
  }

  private let pool: PostgresConnectionPool

  /// Reads through the pool's connections.
  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// The entries of these jobs, in no particular order. That a job was enqueued is told by its id, where anything else is
  /// known of it: a UUIDv7 holds its time.
  package func entries(of jobs: [JobID]) async throws -> [Entry] {
    guard !jobs.isEmpty else { return [] }
    let ids = jobs.map(\.uuid)
    let entries = try await pool.query(
      """
      SELECT job_id, at, 'job ' || outcome, kind || ' in ' || pool || coalesce(': ' || reason, '')
          || CASE WHEN run > 1 THEN ' (run ' || run || ')' ELSE '' END
        FROM jobs.receipt WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, last_at, 'job died', kind || ' in ' || pool || ': ' || reason || ', ' || state
        FROM jobs.dead_letter WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, at, 'job waits in the outbox', 'for ' || pool FROM jobs.outbox
        WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, due_at, 'job is due', 'in ' || pool FROM jobs.scheduled WHERE job_id = ANY(\(ids)::uuid[])
      UNION ALL SELECT job_id, at, 'job started again', 'on ' || node FROM jobs.start_marker
        WHERE job_id = ANY(\(ids)::uuid[])
      """
    ).map {
      Entry(
        at: try $0.decode(1), what: try $0.decode(2), detail: try $0.decode(3),
        job: JobID(try $0.decode(0, as: UUID.self)))
    }
    let known = Set(entries.map(\.job))
    let enqueued = known.compactMap { job in
      job.createdAt.map { Entry(at: $0, what: "job enqueued", detail: "", job: job) }
    }
    return enqueued + entries
  }
}
