package import Foundation
package import Jobs
package import Postgres

/// What operators do about jobs that were accepted, have not ended and are nowhere.
package struct PostgresMissingJobs: Sendable {
  /// A recorded job that may be missing.
  package struct Record: Sendable {
    package let jobRun: JobRun
    package let kind: JobKind
    package let acceptedAt: Date
    /// False: it cannot be enqueued again; its sender can be asked for it.
    package let hasBody: Bool
    /// Who sent it; nil: not recorded.
    package let source: String?
    /// What the sender calls what is in it. WhatsApp's ids contain telephone numbers.
    package let eventIDs: [String]
  }

  private let pool: PostgresConnectionPool
  private let who: String

  /// Jobs and bytes in one transaction; a job may be larger by itself.
  private static let (pageJobs, pageBytes) = (500, 16 << 20)
  /// Jobs that are forgotten in one transaction.
  private static let dismissedMax = 5_000

  /// - Parameter who: goes into the audit.
  package init(pool: PostgresConnectionPool, by who: String) {
    self.pool = pool
    self.who = who
  }

  /// Pools with recorded jobs.
  package func pools() async throws -> [PoolName] {
    try await withPortErrors {
      try await pool.query("SELECT DISTINCT pool FROM jobs.accepted ORDER BY pool").map { try $0.poolName(0) }
    }
  }

  /// Recorded jobs of a pool that are not in the store otherwise, the oldest first. Those accepted before jobs began to
  /// be missing are the missing ones, besides some that are running or retrying.
  ///
  /// - Parameter instant: only jobs accepted by then; nil: all.
  package func records(of name: PoolName, before instant: Date?, limit: Int) async throws -> [Record] {
    try await withPortErrors {
      try await pool.query(
        """
        SELECT job_id, run, coalesce(envelope ->> 'kind', 'unreadable'), accepted_at, body IS NOT NULL, source,
          to_json(coalesce(event_ids, '{}'))::text
        FROM jobs.accepted WHERE \(isMissing: name, before: instant) ORDER BY accepted_at, job_id, run LIMIT \(limit)
        """
      ).map { row in
        let ids = try JSONDecoder().decode([String].self, from: Data(try row.decode(6, as: String.self).utf8))
        return Record(
          jobRun: try row.jobRun(), kind: JobKind(rawValue: try row.decode(2)), acceptedAt: try row.decode(3),
          hasBody: try row.decode(4), source: try row.decodeIfPresent(5), eventIDs: ids)
      }
    }
  }

  /// How many such jobs there are, with and without a body.
  package func counts(of name: PoolName, before instant: Date?) async throws -> (withBody: Int, without: Int) {
    try await withPortErrors {
      let row = try await pool.query(
        """
        SELECT count(*) FILTER (WHERE body IS NOT NULL), count(*) FILTER (WHERE body IS NULL)
        FROM jobs.accepted WHERE \(isMissing: name, before: instant)
        """)[0]
      return (try row.decode(0), try row.decode(1))
    }
  }

  /// Puts such jobs with a body into the outbox, page by page, each page with an audit row; the relay enqueues them
  /// under the same id and run. One that is queued after all is a copy, which its receipt makes harmless. Returns how
  /// many.
  package func enqueue(_ name: PoolName, before instant: Date?) async throws -> Int {
    var total = 0
    var last: (at: String, id: UUID, run: Int)?
    while true {
      let cursor = last
      let page = try await withPortErrors {
        try await pool.withTransaction { transaction in
          let page = try await transaction.query(Self.enqueuePage(name, before: instant, after: cursor))
          if !page.isEmpty { try await transaction.query(audit("missing.enqueue", name, page.count)) }
          return try page.map { (at: try $0.decode(2, as: String.self), job: try $0.jobRun()) }
        }
      }
      guard let end = page.last else { break }
      last = (end.at, end.job.id.uuid, end.job.run)
      total += page.count
    }
    return total
  }

  private static func enqueuePage(
    _ name: PoolName, before instant: Date?, after cursor: (at: String, id: UUID, run: Int)?
  ) -> PostgresQuery {
    """
    WITH candidate AS (
      SELECT job_id, run, accepted_at, octet_length(body) AS size FROM jobs.accepted
      WHERE \(isMissing: name, before: instant) AND body IS NOT NULL
        AND (accepted_at, job_id, run) > (coalesce(\(cursor?.at)::timestamptz, '-infinity'),
          coalesce(\(cursor?.id)::uuid, '00000000-0000-0000-0000-000000000000'), coalesce(\(cursor?.run)::int, -1))
      ORDER BY accepted_at, job_id, run LIMIT \(pageJobs)),
    page AS (
      SELECT job_id, run, accepted_at FROM (
        SELECT job_id, run, accepted_at, sum(size) OVER oldest AS bytes, row_number() OVER oldest AS number
        FROM candidate WINDOW oldest AS (ORDER BY accepted_at, job_id, run)) AS sized
      WHERE number = 1 OR bytes <= \(pageBytes)),
    put AS (
      INSERT INTO jobs.outbox (job_id, run, pool, envelope, body, at)
      SELECT it.job_id, it.run, it.pool, it.envelope, it.body, '-infinity'
      FROM jobs.accepted AS it JOIN page USING (job_id, run) ON CONFLICT DO NOTHING)
    SELECT job_id, run, accepted_at::text FROM page ORDER BY accepted_at, job_id, run
    """
  }

  /// Forgets such jobs of which no body is recorded, or only these, and counts them as cancelled. There is no receipt:
  /// one that comes up after all runs. Returns how many.
  package func dismiss(_ name: PoolName, before instant: Date?, only ids: [JobID]? = nil) async throws -> Int {
    var total = 0
    while true {
      let count = try await withPortErrors {
        try await pool.withTransaction { transaction in
          let count = try await transaction.query(Self.dismissPage(name, before: instant, only: ids))[0]
            .decode(0, as: Int.self)
          if count > 0 { try await transaction.query(audit("missing.dismiss", name, count)) }
          return count
        }
      }
      total += count
      if count < Self.dismissedMax { return total }
    }
  }

  private static func dismissPage(_ name: PoolName, before instant: Date?, only ids: [JobID]?) -> PostgresQuery {
    """
    WITH gone AS (
      DELETE FROM jobs.accepted WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM jobs.accepted WHERE \(isMissing: name, before: instant)
          AND CASE WHEN \(ids == nil) THEN body IS NULL ELSE job_id = ANY(\((ids ?? []).map(\.uuid))::uuid[]) END
        LIMIT \(dismissedMax) FOR UPDATE SKIP LOCKED))
      RETURNING pool),
    counted AS (INSERT INTO jobs.flow (pool, cancelled) SELECT pool, count(*) FROM gone GROUP BY pool)
    SELECT count(*) FROM gone
    """
  }

  /// Counts jobs as cancelled that no record explains: they were never recorded, or the counts are wrong because a
  /// server was restored from a backup.
  package func writeOff(_ name: PoolName, count: Int) async throws {
    try await withPortErrors {
      _ = try await pool.withTransaction { transaction in
        try await transaction.run([
          "INSERT INTO jobs.flow (pool, cancelled) VALUES (\(name.rawValue), \(count))",
          audit("missing.write_off", name, count),
        ])
      }
    }
  }

  /// The pool counts as adding up, until the next looks say otherwise: its jobs are on their way.
  package func settle(_ name: PoolName) async throws {
    _ = try await withPortErrors {
      try await pool.query(
        """
        UPDATE jobs.gap SET since = NULL, least = 0, looks = 0, overdue = '{}', overdue_since = NULL
        WHERE pool = \(name.rawValue)
        """)
    }
  }

  private func audit(_ action: String, _ name: PoolName, _ count: Int) -> PostgresQuery {
    """
    INSERT INTO jobs.audit (who, action, target, after)
    VALUES (\(who), \(action), \(name.rawValue), \(count == 1 ? "1 job" : "\(count) jobs"))
    """
  }
}
