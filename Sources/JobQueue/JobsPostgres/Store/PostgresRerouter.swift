package import Jobs
package import Postgres

/// Moves what the store holds for one pool to another, a thousand rows in a transaction, each with an audit row. Rows
/// that another process has locked, because it is publishing them, are skipped.
package struct PostgresRerouter: Sendable {
  private let pool: PostgresConnectionPool
  private let who: String
  private static let chunk = 1_000

  /// - Parameter who: goes into the audit.
  package init(pool: PostgresConnectionPool, by who: String) {
    self.pool = pool
    self.who = who
  }

  /// Moves outbox and scheduled jobs of these kinds; returns how many.
  package func rerouteJobs(from old: PoolName, to new: PoolName, kinds: [JobKind]) async throws -> Int {
    let names = kinds.map(\.rawValue)
    var total = 0
    for table in ["outbox", "scheduled"] {
      // The new pool's own setting says what is paused.
      let unparking =
        table == "scheduled" ? ", parked = false, due_at = CASE WHEN parked THEN now() ELSE due_at END" : ""
      // What was counted as accepted by the old pool is counted by the new one from here on.
      let statement: PostgresQuery = """
        WITH moved AS (
          UPDATE jobs.\(unsafe: table) SET pool = \(new.rawValue)\(unsafe: unparking) WHERE (job_id, run) IN (
            SELECT job_id, run FROM jobs.\(unsafe: table)
            WHERE pool = \(old.rawValue) AND envelope ->> 'kind' = ANY(\(names)::text[])
            LIMIT \(Self.chunk) FOR UPDATE SKIP LOCKED)
          RETURNING job_id, run, coalesce(envelope -> 'counted' = 'true', false) AS counted),
        was AS (
          SELECT job_id, run, pool FROM jobs.accepted WHERE (job_id, run) IN (SELECT job_id, run FROM moved)
          FOR UPDATE),
        put AS (
          UPDATE jobs.accepted AS it SET pool = \(new.rawValue) FROM was
          WHERE it.job_id = was.job_id AND it.run = was.run),
        counted AS (
          SELECT coalesce(was.pool, \(old.rawValue)) AS pool FROM moved LEFT JOIN was USING (job_id, run)
          WHERE moved.counted OR was.pool IS NOT NULL),
        change AS (
          INSERT INTO jobs.flow (pool, accepted) SELECT pool, -count(*) FROM counted GROUP BY pool
          UNION ALL SELECT \(new.rawValue)::text, count(*) FROM counted)
        SELECT count(*) FROM moved
        """
      total += try await run(statement, "\(table) jobs", old, new)
    }
    return total
  }

  /// Moves open dead letters; their next runs go to the new pool. Returns how many.
  ///
  /// - Parameter kinds: only letters of these kinds; nil: all, also unreadable ones.
  package func rerouteDeadLetters(from old: PoolName, to new: PoolName, kinds: [JobKind]?) async throws -> Int {
    let names = kinds.map { $0.map(\.rawValue) }
    let statement: PostgresQuery = """
      WITH moved AS (
        UPDATE jobs.dead_letter SET pool = \(new.rawValue) WHERE (job_id, run) IN (
          SELECT job_id, run FROM jobs.dead_letter
          WHERE state = 'open' AND pool = \(old.rawValue) AND (\(names)::text[] IS NULL OR kind = ANY(\(names)::text[]))
          LIMIT \(Self.chunk) FOR UPDATE SKIP LOCKED)
        RETURNING job_id)
      SELECT count(*) FROM moved
      """
    return try await run(statement, "indexed dead letters", old, new)
  }

  /// Writes an audit row for what was moved in the broker.
  package func recordReroute(_ count: Int, _ what: String, from old: String, to new: PoolName) async throws {
    _ = try await withPortErrors { try await pool.query(audit(count, what, old, new)) }
  }

  /// What was moved in the broker is counted as accepted by the new pool from here on.
  package func recordMoved(_ jobs: [JobRun], to new: PoolName) async throws {
    guard !jobs.isEmpty else { return }
    _ = try await withPortErrors {
      try await pool.query(
        """
        WITH was AS (
          SELECT it.job_id, it.run, it.pool FROM jobs.accepted AS it JOIN \(unnest: jobs) AS moved (id, run)
            ON it.job_id = moved.id AND it.run = moved.run
          WHERE it.pool <> \(new.rawValue) FOR UPDATE OF it),
        put AS (
          UPDATE jobs.accepted AS it SET pool = \(new.rawValue) FROM was
          WHERE it.job_id = was.job_id AND it.run = was.run)
        INSERT INTO jobs.flow (pool, accepted) SELECT pool, -count(*) FROM was GROUP BY pool
        UNION ALL SELECT \(new.rawValue)::text, count(*) FROM was
        """)
    }
  }

  /// Repeats the statement, which counts the rows it has changed, until it finds nothing more.
  private func run(_ statement: PostgresQuery, _ what: String, _ old: PoolName, _ new: PoolName) async throws -> Int {
    // A row would be found again and again.
    guard old != new else { return 0 }
    var total = 0
    while true {
      let moved = try await withPortErrors {
        try await pool.withTransaction { transaction -> Int in
          let count = try await transaction.query(statement)[0].decode(0, as: Int.self)
          if count > 0 { try await transaction.query(audit(count, what, old.rawValue, new)) }
          return count
        }
      }
      total += moved
      if moved < Self.chunk { return total }
    }
  }

  private func audit(_ count: Int, _ what: String, _ old: String, _ new: PoolName) -> PostgresQuery {
    """
    INSERT INTO jobs.audit (who, action, target, before, after)
    VALUES (\(who), 'pool.move', \(old), \("\(count) \(what)"), \(new.rawValue))
    """
  }
}
