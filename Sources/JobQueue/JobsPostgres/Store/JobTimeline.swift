package import Foundation
package import Jobs
package import Postgres

/// What the store knows of jobs, step by step.
package struct JobTimeline: Sendable {
  private let pool: PostgresConnectionPool

  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// The entries of these jobs, in no particular order. An entry "job enqueued" is made from the id, a UUIDv7, of each
  /// job that has any other entry.
  package func entries(of jobs: [JobID]) async throws -> [TimelineEntry] {
    guard !jobs.isEmpty else { return [] }
    let ids = jobs.map(\.uuid)
    let entries = try await withPortErrors {
      try await pool.query(
        """
        SELECT job_id, at, 'job ' || outcome, kind || ' in ' || pool || coalesce(': ' || reason, '')
            || CASE WHEN run > 1 THEN ' (run ' || run || ')' ELSE '' END
          FROM jobs.receipt WHERE job_id = ANY(\(ids)::uuid[])
        UNION ALL SELECT job_id, last_at, 'job dead-lettered', kind || ' in ' || pool || ': ' || reason || ', ' || state
          FROM jobs.dead_letter WHERE job_id = ANY(\(ids)::uuid[])
        UNION ALL SELECT job_id, at, 'job in outbox', 'for ' || pool FROM jobs.outbox WHERE job_id = ANY(\(ids)::uuid[])
        UNION ALL SELECT job_id, accepted_at, 'job accepted', 'in ' || pool FROM jobs.accepted
          WHERE job_id = ANY(\(ids)::uuid[])
        UNION ALL SELECT job_id, due_at, 'job scheduled', 'in ' || pool FROM jobs.scheduled
          WHERE job_id = ANY(\(ids)::uuid[])
        UNION ALL SELECT job_id, at, 'job restarted', 'on ' || node FROM jobs.start_marker
          WHERE job_id = ANY(\(ids)::uuid[])
        """
      ).map {
        TimelineEntry(at: try $0.decode(1), what: try $0.decode(2), detail: try $0.decode(3), job: try $0.decode(0))
      }
    }
    let enqueued = Set(entries.compactMap(\.job)).compactMap { job in
      JobID(job).createdAt.map { TimelineEntry(at: $0, what: "job enqueued", detail: "", job: job) }
    }
    return enqueued + entries
  }
}

/// Its subjects are jobs.
extension JobTimeline: TimelineSource {
  /// The id itself, if it is a job's.
  package func subjects(of id: String) async throws -> [UUID] { JobID(id).map { [$0.uuid] } ?? [] }

  package func entries(of id: String, subjects jobs: [UUID]) async throws -> [TimelineEntry] {
    try await entries(of: jobs.map { JobID($0) })
  }
}
