internal import Foundation
package import Jobs
internal import Postgres

extension PostgresJobStore {
  /// How long a parked job stays where its kind is not resumed before.
  private static let parkedFor = Duration.seconds(6 * 3_600)

  /// Keeps the job in `jobs.scheduled`; for a run that is there already, instant and envelope are replaced.
  package func schedule(_ envelope: JobEnvelope, pool name: PoolName, after delay: Duration) async throws {
    let statement = try Self.upsertScheduled([(envelope, name, .after(delay))])
    try await withPortErrors { _ = try await pool.query(statement) }
  }

  /// Keeps the job in `jobs.scheduled` for six hours, marked as parked.
  package func park(_ envelope: JobEnvelope, pool name: PoolName) async throws {
    let statement = try Self.upsertScheduled([(envelope, name, .after(Self.parkedFor))], isParked: true)
    try await withPortErrors { _ = try await pool.query(statement) }
  }

  /// Makes parked jobs due now, in two statements. Of the rows of kinds that are still paused none is read: the kinds
  /// come from an index, one step for each. Only one node unparks a pool's jobs at a time; another one gets 0 and
  /// leaves them to it.
  package func unpark(pool name: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try await withPortErrors {
      try await pool.withTransaction { transaction in
        let results = try await transaction.run([
          "SELECT pg_try_advisory_xact_lock(hashtextextended(\("vluma unpark \(name)"), 0))",
          """
          WITH RECURSIVE kind (name) AS (
            SELECT min(envelope ->> 'kind') FROM jobs.scheduled WHERE parked AND pool = \(name.rawValue)
            UNION ALL
            SELECT (SELECT min(envelope ->> 'kind') FROM jobs.scheduled
                    WHERE parked AND pool = \(name.rawValue) AND envelope ->> 'kind' > kind.name)
            FROM kind WHERE kind.name IS NOT NULL)
          SELECT name FROM kind WHERE name IS NOT NULL
          """,
        ])
        let kinds = try results[1].map { try $0.decode(0, as: String.self) }.filter {
          !paused.contains(JobKind(rawValue: $0))
        }
        guard !kinds.isEmpty, try results[0][0].decode(0) else { return 0 }
        return try await transaction.query(
          """
          UPDATE jobs.scheduled SET due_at = now(), parked = false WHERE (job_id, run) IN (
            SELECT job_id, run FROM jobs.scheduled
            WHERE parked AND pool = \(name.rawValue) AND envelope ->> 'kind' = ANY(\(kinds)::text[])
            LIMIT \(limit) FOR UPDATE SKIP LOCKED)
          """
        ).affectedRows
      }
    }
  }

  /// Moves the jobs that have been due longest to the outbox in one statement, at most `limit` and at most
  /// ``pageBytesMax``, but at least one; what another node has locked is skipped. Due is what the server's clock says.
  /// Jobs that cannot be read are moved as well and not returned: the relay postpones them.
  package func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try await withPortErrors {
      let rows = try await pool.query(
        """
        WITH candidate AS (
          SELECT job_id, run, due_at, body FROM jobs.scheduled
          -- Deleting the outbox row of an earlier release would delete this one: the job stays until that is done.
          WHERE due_at <= now() AND NOT EXISTS (
            SELECT FROM jobs.outbox WHERE outbox.job_id = scheduled.job_id AND outbox.run = scheduled.run)
          ORDER BY due_at LIMIT \(limit) FOR UPDATE SKIP LOCKED),
        sized AS (
          SELECT job_id, run, row_number() OVER place AS number, sum(octet_length(body)) OVER place AS bytes
          FROM candidate WINDOW place AS (ORDER BY due_at, job_id, run ROWS UNBOUNDED PRECEDING)),
        due AS (
          DELETE FROM jobs.scheduled WHERE (job_id, run) IN (
            SELECT job_id, run FROM sized WHERE number = 1 OR bytes <= \(Self.pageBytesMax))
          RETURNING job_id, run, pool, envelope, body)
        INSERT INTO jobs.outbox (job_id, run, pool, envelope, body) SELECT * FROM due
        RETURNING envelope::text, body, pool, job_id, run
        """)
      return try entries(of: rows).readable
    }
  }

  enum Due {
    /// After this time, by the server's clock.
    case after(Duration)
    /// At an instant that a worker has named.
    case at(Date)
  }

  static func upsertScheduled(
    _ jobs: [(JobEnvelope, PoolName, Due)], isParked: Bool = false
  ) throws -> PostgresQuery {
    let rows = try EnvelopeColumns(jobs.map { ($0.0, $0.1) })
    // Rounded up: no job is due too early.
    let delays = jobs.map { job -> Int? in
      if case .after(let delay) = job.2 { Int((delay / .milliseconds(1)).rounded(.up)) } else { nil }
    }
    let instants = jobs.map { job -> Date? in if case .at(let date) = job.2 { date } else { nil } }
    return """
      INSERT INTO jobs.scheduled (job_id, run, pool, envelope, body, due_at, parked)
      SELECT id, run, pool, envelope, body,
             coalesce(instant, clock_timestamp() + make_interval(secs => delay / 1000.0)), \(isParked)
      FROM unnest(\(columns: rows), \(instants)::timestamptz[], \(delays)::bigint[])
        AS new (id, run, pool, envelope, body, instant, delay)
      ON CONFLICT (job_id, run) DO UPDATE
        SET due_at = excluded.due_at, pool = excluded.pool, envelope = excluded.envelope, body = excluded.body,
            parked = excluded.parked
      """
  }
}
