internal import Foundation
package import Jobs
internal import Postgres

extension PostgresDeadLetterIndex {
  /// Writes receipts and letters in one transaction of two statements, whatever their number. A letter that is there
  /// already keeps its state; only its latest time is updated.
  package func record(_ letters: [DeadLetter]) async throws {
    // ON CONFLICT DO UPDATE refuses the same letter twice in one statement.
    let byRun = Dictionary(letters.map { ($0.jobRun, $0) }) { first, _ in first }
    let sorted = byRun.values.sorted { ($0.jobRun.id, $0.jobRun.run) < ($1.jobRun.id, $1.jobRun.run) }
    let statements = try Self.statements(for: sorted)
    try await withPortErrors {
      _ = try await pool.withTransaction { try await $0.run(statements) }
    }
  }

  private static func statements(for letters: [DeadLetter]) throws -> [PostgresQuery] {
    let ids = letters.map(\.jobRun.id.uuid)
    let runs = letters.map(\.jobRun.run)
    let kinds = letters.map { $0.envelope?.kind.rawValue ?? "unreadable" }
    let pools = letters.map(\.deadLetterInfo.pool.rawValue)
    let reasons = letters.map(\.deadLetterInfo.reason.rawValue)
    let envelopes = try letters.map {
      try $0.envelope.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    }
    return [
      """
      INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool, reason)
      SELECT id, run, 'dead', kind, pool, reason
      FROM unnest(\(ids)::uuid[], \(runs)::int[], \(kinds)::text[], \(pools)::text[], \(reasons)::text[])
        AS new (id, run, kind, pool, reason)
      ON CONFLICT DO NOTHING
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
