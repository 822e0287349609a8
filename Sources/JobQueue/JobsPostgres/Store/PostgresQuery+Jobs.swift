internal import Jobs
internal import Postgres

extension PostgresQuery.StringInterpolation {
  /// The jobs as rows of id and run.
  mutating func appendInterpolation(unnest jobs: [JobRun]) {
    appendLiteral("unnest(")
    appendInterpolation(jobs.map(\.id.uuid))
    appendLiteral("::uuid[], ")
    appendInterpolation(jobs.map(\.run))
    appendLiteral("::int[])")
  }

  /// The envelopes as rows of id, run, pool, envelope and body.
  mutating func appendInterpolation(unnest rows: EnvelopeColumns) {
    appendLiteral("unnest(")
    appendInterpolation(columns: rows)
    appendLiteral(")")
  }

  /// The arguments of `unnest` for ``EnvelopeColumns``; more columns may follow.
  mutating func appendInterpolation(columns rows: EnvelopeColumns) {
    appendInterpolation(rows.ids)
    appendLiteral("::uuid[], ")
    appendInterpolation(rows.runs)
    appendLiteral("::int[], ")
    appendInterpolation(rows.pools)
    appendLiteral("::text[], ")
    appendInterpolation(rows.envelopes)
    appendLiteral("::jsonb[], ")
    appendInterpolation(rows.bodies)
    appendLiteral("::bytea[]")
  }
}

extension PostgresQuery {
  /// How long the statements of this transaction wait for a lock.
  static func lockTimeout(_ duration: Duration) -> PostgresQuery {
    "SELECT set_config('lock_timeout', \("\(max(1, Int(duration / .milliseconds(1))))ms"), true)"
  }

  /// Deletes the jobs' rows. The statement contains the ids twice: the join compares id and run, and the `ANY` lets the
  /// planner see which partitions of receipts the ids are in.
  static func delete(_ jobs: [JobRun], from table: String) -> PostgresQuery {
    """
    DELETE FROM \(unsafe: table) AS it USING \(unnest: jobs) AS gone (id, run)
    WHERE it.job_id = gone.id AND it.run = gone.run AND it.job_id = ANY(\(jobs.map(\.id.uuid))::uuid[])
    """
  }
}
