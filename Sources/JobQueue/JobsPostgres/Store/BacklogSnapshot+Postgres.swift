package import Foundation
package import Jobs
package import Postgres

extension BacklogSnapshot {
  /// How many receipts are read from each instant of the sample on.
  private static let sampleSize = 100
  /// How many dead letters and audit rows are looked at, the newest.
  private static let rowsMax = 10_000

  /// Reads everything in one round trip. Outbox, scheduled jobs and open dead letters are counted as they are for every
  /// page of metrics; of the receipts, of which there may be millions, some thousands are read.
  package static func read(
    _ pool: PostgresConnectionPool, deadline: ContinuousClock.Instant? = nil, now: Date = Date()
  ) async throws -> BacklogSnapshot {
    let starts = sampleStarts(now)
    let results = try await pool.withConnection(deadline: deadline) { connection in
      try await connection.run(queries(starts), deadline: deadline)
    }
    var backlog = BacklogSnapshot()
    backlog.outbox = try results[0].map(waiting)
    backlog.scheduled = try results[1].map(waiting)
    backlog.dead = try results[2].map { row in
      DeadJobs(
        pool: PoolName(rawValue: try row.decode(0)), kind: JobKind(rawValue: try row.decode(1)),
        reason: DeadLetterReason(rawValue: try row.decode(2)) ?? .unreadable, fingerprint: try row.decode(3),
        count: try row.decode(4))
    }
    let named = try results[3].map { PoolName(rawValue: try $0.decode(0)) }
    backlog.knownPools = Set(
      named + (backlog.outbox + backlog.scheduled).map(\.pool) + backlog.dead.map(\.pool))
    return backlog
  }

  /// Ids of every hour of the last day and every day of the last month. Receipts are looked up from there on, for ids
  /// are in the order of time and there is no index by pool; taking only the newest would find the busiest pools alone.
  private static func sampleStarts(_ now: Date) -> [UUID] {
    let hours = (1...24).map { now - TimeInterval($0) * 3_600 }
    let days = (2...31).map { now - TimeInterval($0) * 86_400 }
    return (hours + days).map { UUID.version7(at: $0) }
  }

  private static func queries(_ starts: [UUID]) -> [PostgresQuery] {
    [
      // A retried dead letter's row has no time of its own: it is overdue once it could not be handed over.
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
      """
      SELECT pool FROM jobs.pool_setting
      UNION SELECT jsonb_object_keys(pools) FROM jobs.node
      UNION SELECT target FROM (
        SELECT action, target FROM jobs.audit ORDER BY at DESC LIMIT \(rowsMax)) AS change WHERE action = 'pool.set'
      UNION SELECT pool FROM (SELECT pool FROM jobs.dead_letter ORDER BY job_id DESC LIMIT \(rowsMax)) AS letter
      UNION SELECT sample.pool FROM unnest(\(starts)::uuid[]) AS start (id),
        LATERAL (
          SELECT pool FROM jobs.receipt WHERE job_id >= start.id ORDER BY job_id LIMIT \(sampleSize)) AS sample
      """,
    ]
  }

  private static func waiting(_ row: PostgresRow) throws -> PendingJobs {
    PendingJobs(
      pool: PoolName(rawValue: try row.decode(0)), kind: JobKind(rawValue: try row.decode(1)),
      count: try row.decode(2), overdue: try row.decode(3))
  }
}
