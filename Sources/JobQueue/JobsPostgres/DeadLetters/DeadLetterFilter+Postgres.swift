internal import Jobs
internal import Postgres

extension PostgresQuery.StringInterpolation {
  /// The condition that a row of `jobs.dead_letter` is open and passes the filter.
  mutating func appendInterpolation(isOpenIn filter: DeadLetterFilter) {
    appendLiteral("state = 'open'")
    if let pool = filter.pool {
      appendLiteral(" AND pool = ")
      appendInterpolation(pool.rawValue)
    }
    if let fingerprint = filter.fingerprint {
      appendLiteral(" AND fingerprint = ")
      appendInterpolation(fingerprint)
    }
    if let ids = filter.ids {
      appendLiteral(" AND job_id = ANY(")
      appendInterpolation(ids.map(\.uuid))
      appendLiteral("::uuid[])")
    }
  }
}
