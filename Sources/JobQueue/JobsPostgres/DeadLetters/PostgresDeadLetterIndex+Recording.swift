internal import Foundation
package import Jobs
internal import Postgres

extension PostgresDeadLetterIndex {
  /// Writes receipts and letters in one transaction, with two statements for each page of them. A letter that is there
  /// already keeps its state; only its latest time is updated.
  package func record(_ letters: [DeadLetter]) async throws {
    // ON CONFLICT DO UPDATE refuses the same letter twice in one statement.
    let byRun = Dictionary(letters.map { ($0.jobRun, $0) }) { first, _ in first }
    let sorted = byRun.values.sorted { ($0.jobRun.id, $0.jobRun.run) < ($1.jobRun.id, $1.jobRun.run) }
    try await withPortErrors {
      try await pool.withTransaction { transaction in
        for (number, page) in sorted.pages({ $0.body.count + $0.deadLetterInfo.detail.utf8.count }).enumerated() {
          // A locked receipt must not hold the other letters for long: the caller isolates it.
          let first: [PostgresQuery] = number == 0 ? [.lockTimeout(Self.lockTimeout)] : []
          try await transaction.run(first + (try Self.statements(for: page)))
        }
      }
    }
  }

  private static let lockTimeout = Duration.milliseconds(500)

  private static func statements(for letters: ArraySlice<DeadLetter>) throws -> [PostgresQuery] {
    let ids = letters.map(\.jobRun.id.uuid)
    let runs = letters.map(\.jobRun.run)
    let kinds = letters.map { $0.envelope?.kind.rawValue ?? "unreadable" }
    let pools = letters.map(\.deadLetterInfo.pool.rawValue)
    let reasons = letters.map(\.deadLetterInfo.reason.rawValue)
    let envelopes = try letters.map {
      try $0.envelope.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    }
    return [
      // Each new receipt ends its run: the row in jobs.accepted goes, and the run is counted, as when it is completed.
      """
      WITH new AS (
        SELECT * FROM unnest(\(ids)::uuid[], \(runs)::int[], \(kinds)::text[], \(pools)::text[], \(reasons)::text[],
                             \(letters.map { $0.envelope?.isCounted ?? false })::bool[])
          AS new (job_id, run, kind, pool, reason, counted)),
      put AS (
        INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool, reason)
        SELECT job_id, run, 'dead', kind, pool, reason FROM new ON CONFLICT DO NOTHING RETURNING job_id, run, pool),
      gone AS (
        DELETE FROM jobs.accepted AS it USING put WHERE it.job_id = put.job_id AND it.run = put.run
        RETURNING it.job_id, it.run, it.pool)
      INSERT INTO jobs.flow (pool, accepted, dead) SELECT pool, sum(accepted), sum(dead) FROM (
        SELECT put.pool,
          (CASE WHEN gone.pool IS NULL THEN NOT new.counted ELSE gone.pool <> put.pool END)::int AS accepted, 1 AS dead
        FROM put JOIN new USING (job_id, run) LEFT JOIN gone USING (job_id, run)
        UNION ALL SELECT gone.pool, -1, 0 FROM gone JOIN put USING (job_id, run) WHERE gone.pool <> put.pool) AS change
      GROUP BY pool
      """,
      // The letter of a job that was completed or cancelled meanwhile finds that receipt and is dropped.
      """
      INSERT INTO jobs.dead_letter (
        job_id, run, pool, kind, reason, detail, fingerprint, attempts, first_at, last_at, envelope, body)
      SELECT new.id, new.run, new.pool, new.kind, new.reason, new.detail, new.fingerprint, new.attempts, new.at, new.at,
        new.envelope, new.body
      FROM unnest(\(ids)::uuid[], \(runs)::int[], \(kinds)::text[], \(pools)::text[], \(reasons)::text[],
                  \(letters.map(\.deadLetterInfo.detail))::text[], \(letters.map(\.deadLetterInfo.fingerprint))::text[],
                  \(letters.map(\.deadLetterInfo.attempts))::int[], \(letters.map(\.deadLetterInfo.at))::timestamptz[],
                  \(envelopes)::jsonb[], \(letters.map(\.body))::bytea[])
        AS new (id, run, kind, pool, reason, detail, fingerprint, attempts, at, envelope, body)
      JOIN jobs.receipt ON receipt.job_id = new.id AND receipt.run = new.run AND receipt.outcome = 'dead'
      ON CONFLICT (job_id, run) DO UPDATE SET last_at = greatest(dead_letter.last_at, excluded.last_at)
      """,
    ]
  }
}
