internal import Foundation
package import Jobs
package import Postgres

/// The dead letters' index on PostgreSQL.
package struct PostgresDeadLetterIndex: DeadLetterIndex {
  let pool: PostgresConnectionPool

  /// The caller closes the pool.
  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// Counts open letters by cause, in one statement.
  package func groups() async throws -> [DeadLetterGroup] {
    try await withPortErrors {
      try await pool.query(
        """
        SELECT fingerprint, pool, kind, reason, (array_agg(detail ORDER BY last_at DESC))[1], count(*), min(first_at),
               max(last_at)
        FROM jobs.dead_letter WHERE state = 'open' GROUP BY fingerprint, pool, kind, reason ORDER BY max(last_at) DESC
        """
      ).map { row in
        DeadLetterGroup(
          fingerprint: try row.decode(0), pool: try row.poolName(1), kind: try row.decode(2),
          reason: DeadLetterReason(rawValue: try row.decode(3)), detail: try row.decode(4), count: try row.decode(5),
          firstAt: try row.decode(6), lastAt: try row.decode(7))
      }
    }
  }

  /// Reads open letters, with their bodies where the filter says so; these may hold personal data. A letter whose
  /// envelope cannot be read is shown without one, so that it hides no other.
  package func letters(_ filter: DeadLetterFilter) async throws -> [DeadLetter] {
    try await withPortErrors {
      try await pool.query(
        """
        SELECT envelope::text, CASE WHEN \(filter.readsBodies) THEN body ELSE '' END, job_id, run, pool, reason, detail, fingerprint, attempts, last_at
        FROM jobs.dead_letter WHERE \(isOpenIn: filter) ORDER BY last_at DESC, job_id LIMIT \(filter.limit)
        """
      ).map { row in
        let envelope = try row.decodeIfPresent(0, as: String.self) == nil ? nil : try? row.envelope()
        return DeadLetter(
          jobRun: JobRun(id: JobID(try row.decode(2)), run: try row.decode(3)),
          envelope: envelope,
          deadLetterInfo: DeadLetterInfo(
            reason: DeadLetterReason(rawValue: try row.decode(5)), detail: try row.decode(6),
            fingerprint: try row.decode(7), pool: try row.poolName(4), attempts: try row.decode(8),
            at: try row.decode(9)),
          body: try row.decode(1))
      }
    }
  }

  /// Marks the letters as retried and puts their next runs into the outbox, with an audit row for each, in one
  /// transaction. The letters are locked first, so that two operators never retry the same one; a relay enqueues the
  /// runs in its next round.
  package func retry(_ filter: DeadLetterFilter, by who: String) async throws -> RedriveResult {
    try await withPortErrors {
      try await pool.withTransaction { transaction in
        let chosen = try await transaction.query(
          """
          SELECT job_id, run FROM jobs.dead_letter WHERE \(isOpenIn: filter)
          ORDER BY last_at DESC, job_id LIMIT \(filter.limit) FOR UPDATE
          """
        ).map { try $0.jobRun() }
        let retried = try await transaction.query(Self.retry(chosen)).map { try $0.jobRun() }
        try await Self.audit(transaction, who, "dead.retry", retried)
        return RedriveResult(retried: retried.count, skipped: chosen.count - retried.count)
      }
    }
  }

  /// A letter is retried only if no run of its job is completed; the next run has no receipt yet. The outbox row's age
  /// lets the relay take it at once.
  private static func retry(_ jobs: [JobRun]) -> PostgresQuery {
    """
    WITH redriven AS (
      UPDATE jobs.dead_letter AS letter SET state = 'retried' FROM \(unnest: jobs) AS wanted (id, run)
      WHERE letter.job_id = wanted.id AND letter.run = wanted.run AND letter.state = 'open'
        AND letter.envelope IS NOT NULL
        AND NOT EXISTS (SELECT FROM jobs.receipt WHERE receipt.job_id = wanted.id AND receipt.outcome = 'completed')
      RETURNING letter.job_id, letter.run + 1 AS run, letter.pool,
        letter.envelope || jsonb_build_object('run', letter.run + 1, 'attempt', 1, 'counted', true) AS envelope,
        letter.body),
    put AS (
      INSERT INTO jobs.outbox (job_id, run, pool, envelope, body, at)
      SELECT job_id, run, pool, envelope, body, '-infinity' FROM redriven RETURNING job_id, run, pool),
    counted AS (INSERT INTO jobs.flow (pool, accepted) SELECT pool, count(*) FROM put GROUP BY pool)
    SELECT job_id, run FROM put
    """
  }

  /// Marks the letters as archived, with an audit row for each, in one transaction. The rows stay for 30 days.
  package func archive(_ filter: DeadLetterFilter, by who: String) async throws -> Int {
    try await withPortErrors {
      try await pool.withTransaction { transaction in
        let archived = try await transaction.query(
          """
          UPDATE jobs.dead_letter SET state = 'archived' WHERE (job_id, run) IN (
            SELECT job_id, run FROM jobs.dead_letter WHERE \(isOpenIn: filter)
            ORDER BY last_at DESC, job_id LIMIT \(filter.limit) FOR UPDATE)
          RETURNING job_id, run
          """
        ).map { try $0.jobRun() }
        try await Self.audit(transaction, who, "dead.archive", archived)
        return archived.count
      }
    }
  }

  private static func audit(
    _ transaction: PostgresTransaction, _ who: String, _ action: String, _ jobs: [JobRun]
  ) async throws {
    guard !jobs.isEmpty else { return }
    try await transaction.query(
      """
      INSERT INTO jobs.audit (who, action, target)
      SELECT \(who), \(action), unnest(\(jobs.map(\.description))::text[])
      """
    )
  }
}
