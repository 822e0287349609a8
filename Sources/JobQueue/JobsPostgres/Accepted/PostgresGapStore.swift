internal import Foundation
package import Jobs
package import Postgres

/// What the sweep that looks for missing jobs keeps in PostgreSQL.
package struct PostgresGapStore: Sendable {
  let pool: PostgresConnectionPool

  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// Examples of each pool in a report.
  private static let examplesMax = 5
  /// A look that comes later than this after the last one does not continue it: servers were away meanwhile.
  private static let looksGapMax = Duration.seconds(30)
  /// Recorded jobs of this age hardly move while places are read. With five looks they are named within a minute.
  private static let overdueAfter = Duration.seconds(30)
  /// Looks at overdue jobs of which the middle one counts: a job that moves may be found nowhere once.
  private static let overdueLooks = 5
  /// Where more jobs than this are overdue, a backlog or a gap is plain to see already.
  private static let overdueMax = 10_000

  /// Begins a look, unless any process has begun one in the last `interval`; nil then. Returns the queues of retry
  /// tiers that earlier looks have found.
  package func begin(interval: Duration) async throws -> [String]? {
    try await withPortErrors {
      try await pool.query(
        """
        UPDATE jobs.gap_sweep SET begun_at = clock_timestamp()
        WHERE begun_at < clock_timestamp() - make_interval(secs => \(interval / .seconds(1)))
        RETURNING to_json(tiers)::text
        """
      ).first.map {
        try JSONDecoder().decode([String].self, from: Data(try $0.decode(0, as: String.self).utf8))
      }
    }
  }

  /// True: at the last look a pool did not add up.
  package func hasSuspicion() async throws -> Bool {
    try await withPortErrors {
      try await pool.query(
        """
        SELECT EXISTS (SELECT FROM jobs.gap WHERE since IS NOT NULL OR overdue_since IS NOT NULL)
        """)[0].decode(0)
    }
  }

  /// Jobs that are scheduled, parked or in the outbox, by pool. Younger entries of the outbox are left out: nearly all
  /// are queued already, and are deleted within a moment.
  package func storedCounts() async throws -> [PoolName: Int] {
    var counts: [PoolName: Int] = [:]
    let rows = try await withPortErrors {
      try await pool.query(
        """
        SELECT pool, sum(n)::bigint FROM (
          SELECT pool, count(*) AS n FROM jobs.scheduled GROUP BY pool
          UNION ALL SELECT pool, count(*) FROM jobs.outbox WHERE at < now() - interval '500 milliseconds' GROUP BY pool
        ) AS stored
        GROUP BY pool
        """, deadline: .now + .seconds(5))
    }
    for row in rows { counts[try row.poolName(0)] = try row.decode(1) }
    return counts
  }

  /// Recorded jobs of each pool that were accepted half a minute ago or more, and are neither in the store otherwise
  /// nor have ended.
  package func overdueCounts() async throws -> [PoolName: Int] {
    let rows = try await withPortErrors {
      try await pool.query(
        """
        SELECT total.pool, (
          SELECT count(*) FROM (
            SELECT FROM jobs.accepted
            WHERE accepted.pool = total.pool
              AND accepted.accepted_at < now() - make_interval(secs => \(Self.overdueAfter / .seconds(1)))
              AND \(isNowhere: ())
            LIMIT \(Self.overdueMax)) AS old)
        FROM jobs.flow_total AS total
        """, deadline: .now + .seconds(5))
    }
    return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.poolName(0), try $0.decode(1)) })
  }

  /// What was accepted and has ended, at this moment.
  package func flows() async throws -> [PoolName: JobFlow] {
    try await withPortErrors { try PostgresJobStore.flows(try await pool.query(PostgresJobStore.readFlows)) }
  }

  /// Keeps a look.
  ///
  /// - Parameter missing: of each pool, before unroutable jobs are taken off: what has become unroutable since a pool
  ///   last added up may be its own.
  /// - Parameter overdue: of the same pools, what is missing of jobs that were recorded long before.
  package func finish(
    missing: [PoolName: Int], overdue: [PoolName: Int], unroutable: Int, tiers: [String]
  ) async throws {
    let pools = missing.sorted { $0.key < $1.key }
    let certain = MissingJobs.certainAfter / .seconds(1)
    let pause = Self.looksGapMax / .seconds(1)
    try await withPortErrors {
      _ = try await pool.withTransaction { transaction in
        try await transaction.run([
          """
          WITH look AS (
            SELECT new.pool, it.least, it.since, it.looks, it.overdue_since, new.missing AS whole, new.overdue AS old,
              \(unroutable) - least(coalesce(it.unroutable, \(unroutable)), \(unroutable)) AS lately_unroutable,
              CASE WHEN it.checked_at >= now() - make_interval(secs => \(pause)) THEN it.overdue ELSE '{}' END AS before,
              it.since IS NULL OR (
                it.checked_at < now() - make_interval(secs => \(pause))
                AND NOT (it.looks >= \(MissingJobs.certainLooks)
                  AND it.since < it.checked_at - make_interval(secs => \(certain)))) AS is_first
            FROM unnest(\(pools.map(\.key.rawValue))::text[], \(pools.map(\.value))::bigint[],
                        \(pools.map { overdue[$0.key] ?? 0 })::bigint[]) AS new (pool, missing, overdue)
            LEFT JOIN jobs.gap AS it USING (pool)),
          judged AS (
            SELECT *, whole - lately_unroutable AS missing,
              ((old - lately_unroutable) || before)[1:\(Self.overdueLooks)] AS overdue
            FROM look)
          INSERT INTO jobs.gap AS it (pool, least, since, looks, checked_at, unroutable, overdue, overdue_since)
          SELECT pool, CASE WHEN missing <= 0 THEN 0 WHEN is_first THEN missing ELSE least(least, missing) END,
            CASE WHEN missing <= 0 THEN NULL WHEN is_first THEN now() ELSE since END,
            CASE WHEN missing <= 0 THEN 0 WHEN is_first THEN 1 ELSE looks + 1 END, now(),
            \(unroutable) - CASE WHEN whole <= 0 THEN 0 ELSE lately_unroutable END, overdue,
            CASE WHEN \(middleOf: "judged.overdue", looks: Self.overdueLooks) > 0
              THEN coalesce(overdue_since, now() - make_interval(secs => \(Self.overdueAfter / .seconds(1)))) END
          FROM judged
          ON CONFLICT (pool) DO UPDATE SET least = excluded.least, since = excluded.since, looks = excluded.looks,
            checked_at = excluded.checked_at, unroutable = excluded.unroutable, overdue = excluded.overdue,
            overdue_since = excluded.overdue_since
          """,
          "UPDATE jobs.gap_sweep SET checked_at = now(), unknown = NULL, tiers = \(tiers)::text[]",
        ])
      }
    }
  }

  /// Keeps why a look could not judge.
  package func fail(_ reason: String) async throws {
    _ = try await withPortErrors { try await pool.query("UPDATE jobs.gap_sweep SET unknown = \(reason)") }
  }

  /// What is missing for certain.
  ///
  /// - Parameter withExamples: names the oldest recorded jobs of each pool as well.
  package func report(withExamples: Bool = false) async throws -> GapReport {
    try await withPortErrors {
      let results = try await pool.withConnection { connection in
        try await connection.run([
          "SELECT extract(epoch FROM now() - checked_at)::float8, unknown FROM jobs.gap_sweep",
          """
          SELECT pool, greatest(
              CASE WHEN is_certain THEN least ELSE 0 END,
              CASE WHEN overdue_since IS NULL THEN 0 ELSE \(middleOf: "overdue", looks: Self.overdueLooks) END),
            least(CASE WHEN is_certain THEN since END, overdue_since)
          FROM (
            SELECT *, coalesce(looks >= \(MissingJobs.certainLooks)
              AND since <= now() - make_interval(secs => \(MissingJobs.certainAfter / .seconds(1))), false) AS is_certain
            FROM jobs.gap) AS gap
          WHERE is_certain OR overdue_since IS NOT NULL ORDER BY pool
          """,
        ])
      }
      var report = GapReport()
      report.secondsSinceLook = try results[0].first?.decodeIfPresent(0)
      report.unknown = try results[0].first?.decodeIfPresent(1)
      report.missing = try results[1].map {
        MissingJobs(pool: try $0.poolName(0), count: try $0.decode(1), since: try $0.decode(2))
      }
      guard withExamples else { return report }
      for index in report.missing.indices {
        report.missing[index].examples = try await examples(of: report.missing[index])
      }
      return report
    }
  }

  private func examples(of missing: MissingJobs) async throws -> [MissingJobs.Example] {
    try await pool.query(
      """
      SELECT job_id, run, coalesce(envelope ->> 'kind', 'unreadable') FROM jobs.accepted
      WHERE \(isMissing: missing.pool, before: missing.since)
      ORDER BY pool, accepted_at LIMIT \(min(missing.count, Self.examplesMax))
      """, deadline: .now + .seconds(5)
    ).map { .init(jobRun: try $0.jobRun(), kind: JobKind(rawValue: try $0.decode(2))) }
  }
}

extension PostgresQuery.StringInterpolation {
  /// The condition that a row of `jobs.accepted` may be a missing job: a queue is emptied from its front, so that
  /// whatever was recorded when a pool first did not add up, and is not in the store, is either missing or about to
  /// run.
  ///
  /// - Parameter instant: nil: whenever it was accepted.
  mutating func appendInterpolation(isMissing pool: PoolName, before instant: Date?) {
    appendLiteral("accepted.pool = ")
    appendInterpolation(pool.rawValue)
    if let instant {
      // Recording takes a moment.
      appendLiteral(" AND accepted.accepted_at <= ")
      appendInterpolation(instant.addingTimeInterval(5))
    }
    appendLiteral(" AND ")
    appendInterpolation(isNowhere: ())
  }

  /// The condition that a row of `jobs.accepted` is in no other table and has not ended.
  mutating func appendInterpolation(isNowhere: Void) {
    let tables = ["outbox", "scheduled", "receipt"]
    appendLiteral(
      tables.map {
        "NOT EXISTS (SELECT FROM jobs.\($0) AS it WHERE it.job_id = accepted.job_id AND it.run = accepted.run)"
      }
      .joined(separator: " AND "))
  }

  /// The middle one of so many numbers; null where there are fewer.
  mutating func appendInterpolation(middleOf array: String, looks: Int) {
    appendLiteral(
      """
      (SELECT number FROM unnest(\(array)) AS number WHERE cardinality(\(array)) = \(looks)
        ORDER BY number LIMIT 1 OFFSET \(looks / 2))
      """)
  }
}
