package import Foundation
package import Jobs
package import Postgres

extension BacklogSnapshot {
  /// Receipts read from each instant of the sample on.
  private static let sampleSize = 100
  /// Dead letters and audit rows that are read, the newest.
  private static let rowsMax = 10_000

  /// Reads everything in one round trip. Of the receipts, of which there may be millions, some thousands are read.
  ///
  /// - Parameter now: the instant that the sample of receipts ends at.
  package static func read(
    _ pool: PostgresConnectionPool, deadline: ContinuousClock.Instant? = nil, now: Date = Date()
  ) async throws -> BacklogSnapshot {
    try await withPortErrors {
      let queries = countQueries + [knownPoolsQuery(sampleStarts(now))]
      let results = try await pool.withConnection(deadline: deadline) { connection in
        try await connection.run(queries, deadline: deadline)
      }
      var backlog = try BacklogSnapshot(counts: results)
      backlog.knownPools = Set(
        try results[countQueries.count].map { try $0.poolName(0) }
          + (backlog.outbox + backlog.scheduled).map(\.pool) + backlog.dead.map(\.pool))
      return backlog
    }
  }

  /// Reads the results of ``countQueries``; ``knownPools`` stays empty.
  init(counts results: [PostgresResult]) throws {
    self.init()
    outbox = try results[0].map(Self.pendingJobs)
    scheduled = try results[1].map(Self.pendingJobs)
    dead = try results[2].map { row in
      DeadJobs(
        pool: try row.poolName(0), kind: JobKind(rawValue: try row.decode(1)),
        reason: DeadLetterReason(rawValue: try row.decode(2)), fingerprint: try row.decode(3),
        count: try row.decode(4))
    }
  }

  private static func pendingJobs(_ row: PostgresRow) throws -> PendingJobs {
    PendingJobs(
      pool: try row.poolName(0), kind: JobKind(rawValue: try row.decode(1)), count: try row.decode(2),
      overdue: try row.decode(3))
  }

  /// Count outbox, scheduled jobs and open dead letters.
  static let countQueries: [PostgresQuery] = [
    // The row of a retried dead letter has no time of its own: it is overdue once a relay could not publish it.
    """
    SELECT pool, coalesce(envelope ->> 'kind', 'unreadable'), count(*),
           count(*) FILTER (WHERE CASE WHEN at > '-infinity'
             THEN at < now() - make_interval(secs => \(outboxOverdueAfter / .seconds(1))) ELSE tried_at IS NOT NULL END)
    FROM jobs.outbox GROUP BY 1, 2 ORDER BY 1, 2
    """,
    """
    SELECT pool, coalesce(envelope ->> 'kind', 'unreadable'), count(*),
           count(*) FILTER (WHERE due_at < now() - make_interval(secs => \(scheduledOverdueAfter / .seconds(1))))
    FROM jobs.scheduled GROUP BY 1, 2 ORDER BY 1, 2
    """,
    """
    SELECT pool, kind, reason, fingerprint, count(*) FROM jobs.dead_letter WHERE state = 'open'
    GROUP BY pool, kind, reason, fingerprint ORDER BY count(*) DESC, fingerprint
    """,
  ]

  private static func knownPoolsQuery(_ sampleStarts: [UUID]) -> PostgresQuery {
    """
    SELECT pool FROM jobs.pool_setting
    UNION SELECT jsonb_object_keys(pools) FROM jobs.node
    UNION SELECT target FROM (
      SELECT action, target FROM jobs.audit ORDER BY at DESC LIMIT \(rowsMax)) AS change WHERE action = 'pool.set'
    UNION SELECT pool FROM (SELECT pool FROM jobs.dead_letter ORDER BY job_id DESC LIMIT \(rowsMax)) AS letter
    UNION SELECT sample.pool FROM unnest(\(sampleStarts)::uuid[]) AS start (id),
      LATERAL (
        SELECT pool FROM jobs.receipt WHERE job_id >= start.id ORDER BY job_id LIMIT \(sampleSize)) AS sample
    """
  }

  /// Ids of every hour of the last day and every day of the last month. Receipts are read from each of them on: ids are
  /// in the order of time, and receipts have no index by pool. The newest receipts alone would show the busiest pools
  /// only.
  private static func sampleStarts(_ now: Date) -> [UUID] {
    let hours = (1...24).map { now - TimeInterval($0) * 3_600 }
    let days = (2...31).map { now - TimeInterval($0) * 86_400 }
    return (hours + days).map { UUID.version7(at: $0) }
  }
}
