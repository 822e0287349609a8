internal import Foundation
package import Jobs
package import Postgres

/// The dead letters' index on PostgreSQL.
package struct PostgresDeadLetterIndex: DeadLetterIndex {
  private let pool: PostgresConnectionPool

  /// Uses the pool's connections; closing it stays with the caller.
  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// Writes receipts and letters in one transaction of two statements, whatever their number. A letter that is there
  /// already only has the time of its latest death moved on; its state stays.
  package func record(_ letters: [DeadLetter]) async throws {
    // The same letter twice in one statement would be an error of ON CONFLICT DO UPDATE.
    let byRun = Dictionary(letters.map { ($0.jobRun, $0) }) { first, _ in first }
    let sorted = byRun.values.sorted { ($0.jobRun.id, $0.jobRun.run) < ($1.jobRun.id, $1.jobRun.run) }
    let heads = try sorted.map { try $0.envelope.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) } }
    do {
      try await record(sorted, heads)
    } catch let error as PostgresError {
      throw PostgresJobStore.translate(error)
    }
  }

  private func record(_ sorted: [DeadLetter], _ heads: [String?]) async throws {
    let ids = sorted.map(\.jobRun.id.uuid)
    let runs = sorted.map(\.jobRun.run)
    let kinds = sorted.map { $0.envelope?.kind.rawValue ?? "unreadable" }
    let pools = sorted.map(\.deadLetterInfo.pool.rawValue)
    try await pool.withTransaction { transaction in
      try await transaction.run([
        """
        INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool, reason)
        SELECT id, run, 'dead', kind, pool, reason
        FROM unnest(\(ids)::uuid[], \(runs)::int[], \(kinds)::text[], \(pools)::text[], \(sorted.map(\.deadLetterInfo.reason.rawValue))::text[])
          AS new (id, run, kind, pool, reason)
        ON CONFLICT DO NOTHING
        """,
        // A letter whose job was completed, or cancelled, after all finds that receipt and is dropped.
        """
        INSERT INTO jobs.dead_letter (job_id, run, pool, kind, reason, detail, fingerprint, attempts, first_at, last_at, envelope, body)
        SELECT new.id, new.run, new.pool, new.kind, new.reason, new.detail, new.fingerprint, new.attempts, new.at, new.at, new.envelope,
          new.body
        FROM unnest(\(ids)::uuid[], \(runs)::int[], \(kinds)::text[], \(pools)::text[], \(sorted.map(\.deadLetterInfo.reason.rawValue))::text[],
                    \(sorted.map(\.deadLetterInfo.detail))::text[], \(sorted.map(\.deadLetterInfo.fingerprint))::text[],
                    \(sorted.map(\.deadLetterInfo.attempts))::int[], \(sorted.map(\.deadLetterInfo.at))::timestamptz[], \(heads)::jsonb[],
                    \(sorted.map(\.body))::bytea[])
          AS new (id, run, kind, pool, reason, detail, fingerprint, attempts, at, envelope, body)
        JOIN jobs.receipt ON receipt.job_id = new.id AND receipt.run = new.run AND receipt.outcome = 'dead'
        ON CONFLICT (job_id, run) DO UPDATE SET last_at = greatest(dead_letter.last_at, excluded.last_at)
        """,
      ])
    }
  }

  /// Counts open letters by cause, in one statement. A reason this program does not know reads as
  /// ``DeadLetterReason/unreadable``.
  package func groups() async throws -> [DeadLetterGroup] {
    let rows = try await pool.query(
      """
      SELECT fingerprint, pool, kind, reason, (array_agg(detail ORDER BY last_at DESC))[1], count(*), min(first_at), max(last_at)
      FROM jobs.dead_letter WHERE state = 'open' GROUP BY fingerprint, pool, kind, reason ORDER BY max(last_at) DESC
      """)
    return try rows.map { row in
      DeadLetterGroup(
        fingerprint: try row.decode(0), pool: PoolName(rawValue: try row.decode(1)), kind: try row.decode(2),
        reason: DeadLetterReason(rawValue: try row.decode(3)) ?? .unreadable, detail: try row.decode(4),
        count: try row.decode(5),
        firstAt: try row.decode(6), lastAt: try row.decode(7))
    }
  }

  /// Reads open letters with their bodies, which may hold personal data. A reason this program does not know reads as
  /// ``DeadLetterReason/unreadable``.
  package func letters(_ filter: DeadLetterFilter) async throws -> [DeadLetter] {
    let condition = Condition(filter)
    let rows = try await pool.query(
      """
      SELECT envelope::text, body, job_id, run, pool, reason, detail, fingerprint, attempts, last_at FROM jobs.dead_letter
      WHERE state = 'open' AND (\(condition.pool)::text IS NULL OR pool = \(condition.pool))
        AND (\(condition.fingerprint)::text IS NULL OR fingerprint = \(condition.fingerprint))
        AND (\(condition.ids)::uuid[] IS NULL OR job_id = ANY(\(condition.ids)::uuid[]))
      ORDER BY last_at DESC, job_id LIMIT \(filter.limit)
      """)
    return try rows.map { row in
      let hasEnvelope = try row.decodeIfPresent(0, as: String.self) != nil
      return DeadLetter(
        jobRun: JobRun(id: JobID(try row.decode(2)), run: try row.decode(3)),
        envelope: hasEnvelope ? try row.envelope() : nil,
        deadLetterInfo: DeadLetterInfo(
          reason: DeadLetterReason(rawValue: try row.decode(5)) ?? .unreadable, detail: try row.decode(6),
          fingerprint: try row.decode(7), pool: PoolName(rawValue: try row.decode(4)), attempts: try row.decode(8),
          at: try row.decode(9)),
        body: try row.decode(1))
    }
  }

  /// Marks the letters as retried and puts their next runs into the outbox, with an audit row for each, in one
  /// transaction. The letters are locked first, so that two operators never retry the same one; a relay enqueues the
  /// runs in its next round.
  package func retry(_ filter: DeadLetterFilter, by who: String) async throws -> RedriveResult {
    let condition = Condition(filter)
    return try await pool.withTransaction { transaction in
      let chosen = try await transaction.query(
        """
        SELECT job_id, run FROM jobs.dead_letter
        WHERE state = 'open' AND (\(condition.pool)::text IS NULL OR pool = \(condition.pool))
          AND (\(condition.fingerprint)::text IS NULL OR fingerprint = \(condition.fingerprint))
          AND (\(condition.ids)::uuid[] IS NULL OR job_id = ANY(\(condition.ids)::uuid[]))
        ORDER BY last_at DESC, job_id LIMIT \(filter.limit) FOR UPDATE
        """
      ).map { try $0.jobRun() }
      // The next run of a job is free of receipts; no run of it may be completed. The age lets the relay take it at once.
      let retried = try await transaction.query(
        """
        WITH redriven AS (
          UPDATE jobs.dead_letter AS letter SET state = 'retried'
          FROM unnest(\(chosen.map(\.id.uuid))::uuid[], \(chosen.map(\.run))::int[]) AS wanted (id, run)
          WHERE letter.job_id = wanted.id AND letter.run = wanted.run AND letter.state = 'open' AND letter.envelope IS NOT NULL
            AND NOT EXISTS (SELECT FROM jobs.receipt WHERE receipt.job_id = wanted.id AND receipt.outcome = 'completed')
          RETURNING letter.job_id, letter.run + 1 AS run, letter.pool,
            letter.envelope || jsonb_build_object('run', letter.run + 1, 'attempt', 1) AS envelope, letter.body)
        INSERT INTO jobs.outbox (job_id, run, pool, envelope, body, at)
        SELECT job_id, run, pool, envelope, body, '-infinity' FROM redriven RETURNING job_id, run
        """
      ).map { try $0.jobRun() }
      try await Self.audit(transaction, who, "dead.retry", retried)
      return RedriveResult(retried: retried.count, refused: chosen.count - retried.count)
    }
  }

  /// Marks the letters as archived, with an audit row for each, in one transaction. The rows stay for 30 days.
  package func archive(_ filter: DeadLetterFilter, by who: String) async throws -> Int {
    let condition = Condition(filter)
    return try await pool.withTransaction { transaction in
      let gone = try await transaction.query(
        """
        UPDATE jobs.dead_letter SET state = 'archived' WHERE (job_id, run) IN (
          SELECT job_id, run FROM jobs.dead_letter
          WHERE state = 'open' AND (\(condition.pool)::text IS NULL OR pool = \(condition.pool))
            AND (\(condition.fingerprint)::text IS NULL OR fingerprint = \(condition.fingerprint))
            AND (\(condition.ids)::uuid[] IS NULL OR job_id = ANY(\(condition.ids)::uuid[]))
          ORDER BY last_at DESC, job_id LIMIT \(filter.limit) FOR UPDATE)
        RETURNING job_id, run
        """
      ).map { try $0.jobRun() }
      try await Self.audit(transaction, who, "dead.archive", gone)
      return gone.count
    }
  }

  private static func audit(_ transaction: PostgresTransaction, _ who: String, _ action: String, _ jobs: [JobRun])
    async throws
  {
    guard !jobs.isEmpty else { return }
    try await transaction.query(
      "INSERT INTO jobs.audit (who, action, target) SELECT \(who), \(action), unnest(\(jobs.map(\.description))::text[])"
    )
  }

  /// The filter as bound values; nil matches everything.
  private struct Condition {
    let pool: String?
    let fingerprint: String?
    let ids: [UUID]?

    init(_ filter: DeadLetterFilter) {
      pool = filter.pool?.rawValue
      fingerprint = filter.fingerprint
      ids = filter.ids?.map(\.uuid)
    }
  }
}
