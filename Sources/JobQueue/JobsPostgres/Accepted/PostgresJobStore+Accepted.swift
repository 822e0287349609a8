package import Jobs
internal import Postgres

extension PostgresJobStore {
  /// Writes the rows in one statement, or, where they are very large, in one transaction. A run with a receipt, or with
  /// a row, is left as it is.
  package func recordAccepted(_ jobs: [AcceptedJob]) async throws -> Int {
    let pages = jobs.pages { job in
      job.envelope.body.count + (job.reference?.eventIDs.reduce(0) { $0 + $1.utf8.count + 1 } ?? 0)
    }
    guard pages.count > 1 else {
      guard !jobs.isEmpty else { return 0 }
      let statement = try PostgresQuery.recordAccepted(jobs)
      return try await withPortErrors { try await pool.query(statement)[0].decode(0) }
    }
    return try await withPortErrors {
      try await pool.withTransaction { transaction in
        var total = 0
        for page in pages {
          total += try await transaction.query(.recordAccepted(Array(page)))[0].decode(0, as: Int.self)
        }
        return total
      }
    }
  }

  /// Adds up what was counted, in one transaction.
  ///
  /// - Parameter thoroughly: false: only rows of the last two minutes are looked at for runs that have ended; longer
  ///   ago than that no transaction that ended one can have been under way. True: all, which may be millions.
  package func sweepAccepted(thoroughly: Bool) async throws -> [PoolName: JobFlow] {
    try await withPortErrors {
      try await pool.withTransaction(deadline: .now + .seconds(10)) { transaction in
        try Self.flows(
          try await transaction.run([Self.deleteEnded(thoroughly: thoroughly), Self.addUp, Self.readFlows])[2])
      }
    }
  }

  /// Rows of runs that ended while they were being recorded. Their insertion was counted besides the end.
  private static func deleteEnded(thoroughly: Bool) -> PostgresQuery {
    """
    WITH gone AS (
      DELETE FROM jobs.accepted AS it USING jobs.receipt
      WHERE receipt.job_id = it.job_id AND receipt.run = it.run
        AND it.pool IN (SELECT pool FROM jobs.flow_total UNION SELECT DISTINCT pool FROM jobs.flow)
        AND (\(thoroughly) OR it.accepted_at > now() - interval '2 minutes')
      RETURNING it.pool, it.counts)
    INSERT INTO jobs.flow (pool, accepted) SELECT pool, -count(*) FROM gone WHERE counts GROUP BY pool
    """
  }

  /// At most so many rows at a time: after a long time without a sweep there may be millions.
  private static let addUp: PostgresQuery = """
    WITH gone AS (
      DELETE FROM jobs.flow WHERE ctid = ANY (ARRAY(SELECT ctid FROM jobs.flow LIMIT 100000))
      RETURNING pool, accepted, completed, cancelled, dead)
    INSERT INTO jobs.flow_total AS total (pool, accepted, completed, cancelled, dead)
    SELECT pool, sum(accepted), sum(completed), sum(cancelled), sum(dead) FROM gone GROUP BY pool ORDER BY pool
    ON CONFLICT (pool) DO UPDATE SET
      accepted = total.accepted + excluded.accepted, completed = total.completed + excluded.completed,
      cancelled = total.cancelled + excluded.cancelled, dead = total.dead + excluded.dead
    """

  /// The sums, with what was counted since they were made.
  static let readFlows: PostgresQuery = """
    SELECT pool, sum(accepted)::bigint, sum(completed)::bigint, sum(cancelled)::bigint, sum(dead)::bigint FROM (
      SELECT pool, accepted, completed, cancelled, dead FROM jobs.flow_total
      UNION ALL SELECT pool, accepted, completed, cancelled, dead FROM jobs.flow) AS counted
    GROUP BY pool
    """

  static func flows(_ result: PostgresResult) throws -> [PoolName: JobFlow] {
    var flows: [PoolName: JobFlow] = [:]
    for row in result {
      flows[try row.poolName(0)] = JobFlow(
        accepted: try row.decode(1), completed: try row.decode(2), cancelled: try row.decode(3),
        dead: try row.decode(4))
    }
    return flows
  }
}
