internal import Foundation
internal import Jobs
internal import Postgres

/// The statements that keep `jobs.accepted` and count in `jobs.flow`.
///
/// A run is counted as accepted once, whatever happens at the same time: by the transaction that writes it to the store
/// (``JobEnvelope/isCounted``); else by the insertion of its row into `jobs.accepted`; else, where the transaction that
/// ends it finds no such row, by that transaction. Where the row is inserted while that transaction is under way both
/// count, and the row stays: ``PostgresJobStore/sweepAccepted(thoroughly:)`` deletes it and takes one off again.
extension PostgresQuery {
  /// What happens in the store to runs of one pool, and what is accepted with it.
  struct EndedRuns {
    /// The runs that get a receipt.
    var receipts: [JobReceipt]
    var pool: PoolName
    var cancelled: Int
    /// Follow-ups, by pool.
    var accepted: [PoolName: Int]
  }

  /// Deletes the rows of the runs that end, and counts, in one statement.
  static func end(_ ended: EndedRuns) -> PostgresQuery {
    let pool = ended.pool.rawValue
    let followUps = ended.accepted.sorted { $0.key < $1.key }
    let ids = ended.receipts.map(\.jobRun.id.uuid)
    return """
      WITH ended AS (
        SELECT * FROM unnest(\(ids)::uuid[], \(ended.receipts.map(\.jobRun.run))::int[],
                             \(ended.receipts.map(\.isCounted))::bool[]) AS new (job_id, run, counted)),
      gone AS (
        DELETE FROM jobs.accepted AS it USING ended
        WHERE it.job_id = ended.job_id AND it.run = ended.run AND it.job_id = ANY(\(ids)::uuid[])
        RETURNING it.job_id, it.run, it.pool)
      INSERT INTO jobs.flow (pool, accepted, completed, cancelled)
      SELECT pool, sum(accepted), sum(completed), sum(cancelled) FROM (
        SELECT \(pool)::text AS pool,
          count(*) FILTER (WHERE CASE WHEN gone.pool IS NULL THEN NOT ended.counted ELSE gone.pool <> \(pool) END)
            AS accepted,
          count(*) - \(ended.cancelled)::bigint AS completed, \(ended.cancelled)::bigint AS cancelled
        FROM ended LEFT JOIN gone USING (job_id, run)
        UNION ALL SELECT pool, -1, 0, 0 FROM gone WHERE pool <> \(pool)
        UNION ALL SELECT pool, accepted, 0, 0
        FROM unnest(\(followUps.map(\.key.rawValue))::text[], \(followUps.map(\.value))::bigint[])
          AS new (pool, accepted)) AS change
      GROUP BY pool
      """
  }

  /// Deletes outbox rows and records the jobs as accepted that have not ended: there is no moment between.
  ///
  /// - Parameter bodiless: pools whose bodies are not kept.
  static func deleteFromOutbox(_ jobs: [JobRun], bodiless: [PoolName]) -> PostgresQuery {
    let ids = jobs.map(\.id.uuid)
    return """
      WITH gone AS (
        DELETE FROM jobs.outbox AS it USING \(unnest: jobs) AS held (id, run)
        WHERE it.job_id = held.id AND it.run = held.run AND it.job_id = ANY(\(ids)::uuid[])
        RETURNING it.job_id, it.run, it.pool, it.envelope, it.body),
      put AS (
        INSERT INTO jobs.accepted (job_id, run, pool, counts, envelope, body)
        SELECT job_id, run, pool, NOT coalesce(envelope -> 'counted' = 'true', false), envelope,
          CASE WHEN pool = ANY(\(bodiless.map(\.rawValue))::text[]) THEN NULL ELSE body END
        FROM gone WHERE NOT EXISTS (
          SELECT FROM jobs.receipt
          WHERE receipt.job_id = gone.job_id AND receipt.run = gone.run AND receipt.job_id = ANY(\(ids)::uuid[]))
        ON CONFLICT DO NOTHING RETURNING pool, counts)
      INSERT INTO jobs.flow (pool, accepted) SELECT pool, count(*) FROM put WHERE counts GROUP BY pool
      """
  }

  /// Records jobs that came straight to the broker; the number of those that were recorded is the only value.
  static func recordAccepted(_ jobs: [AcceptedJob]) throws -> PostgresQuery {
    let rows = try EnvelopeColumns(jobs.map { ($0.envelope, $0.pool) })
    let bodies = jobs.map { $0.reference == nil ? $0.envelope.body : nil }
    let sources = jobs.map { job in job.reference.flatMap { $0.source.isEmpty ? nil : $0.source } }
    // A line for each: an array of arrays needs equal lengths.
    let events = jobs.map { $0.reference.map { $0.eventIDs.map(Self.oneLine).joined(separator: "\n") } }
    return """
      WITH new AS (
        SELECT * FROM unnest(\(rows.ids)::uuid[], \(rows.runs)::int[], \(rows.pools)::text[],
          \(rows.envelopes)::jsonb[], \(bodies)::bytea[], \(jobs.map(\.envelope.isCounted))::bool[],
          \(sources)::text[], \(events)::text[]) AS new (job_id, run, pool, envelope, body, counted, source, events)),
      put AS (
        INSERT INTO jobs.accepted (job_id, run, pool, counts, envelope, body, source, event_ids)
        SELECT job_id, run, pool, NOT counted, envelope, body, source, string_to_array(events, E'\\n') FROM new
        WHERE NOT EXISTS (
          SELECT FROM jobs.receipt WHERE receipt.job_id = new.job_id AND receipt.run = new.run
            AND receipt.job_id = ANY(\(rows.ids)::uuid[]))
        ON CONFLICT DO NOTHING RETURNING pool, counts),
      counted AS (
        INSERT INTO jobs.flow (pool, accepted) SELECT pool, count(*) FROM put WHERE counts GROUP BY pool)
      SELECT count(*) FROM put
      """
  }

  private static func oneLine(_ id: String) -> String {
    String(String.UnicodeScalarView(id.unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }
}
