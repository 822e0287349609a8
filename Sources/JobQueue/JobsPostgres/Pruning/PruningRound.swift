internal import Foundation
internal import Postgres

/// One round of a ``JobPruner``, on a connection of its own whose `lock_timeout` is short.
struct PruningRound {
  let connection: PostgresConnection
  let retention: Retention
  let now: Date
  var pruned = JobPruner.Summary()

  /// Rows in one transaction: about 12 ms.
  private static let batchSize = 1_000
  /// Transactions for one table in a round.
  private static let batchesMax = 50
  /// Between two of them, so that others get to the disk.
  private static let pause = Duration.milliseconds(20)

  /// Receipts of jobs that were completed before may go.
  var receiptCutoff: Date { Retention.cutoff(retention.receiptDays, before: now) }

  /// Partitions are made first, for that must never wait behind anything; they are dropped last.
  mutating func run() async throws {
    // Every row is to be found by an index. The planner, which does not know how many rows are old where nobody has
    // analysed the table yet, would read tables as a whole, and do so with a partition's lock in hand.
    try await connection.run(
      ["seqscan", "sort", "hashjoin", "mergejoin"].map { "SET enable_\(unsafe: $0) = off" })
    try await createPartitions()
    try await stampResolvedDeadLetters()
    pruned.receipts = try await inBatches(strayReceipts)
    pruned.deadLetters = try await inBatches(resolvedDeadLetters)
    pruned.startMarkers = try await inBatches(staleMarkers)
    pruned.auditRows = try await inBatches(oldAuditRows)
    try await dropPartitions()
  }

  private mutating func inBatches(_ statement: PostgresQuery) async throws -> Int {
    var sum = 0
    for _ in 0..<Self.batchesMax {
      let count = try await connection.query(statement).affectedRows
      sum += count
      if count < Self.batchSize { return sum }
      try await Task.sleep(for: Self.pause)
    }
    pruned.hasMore = true
    return sum
  }

  /// When an operator dealt with a letter is not written down; its time runs from when that is first seen. (The time of
  /// the death would not do: a letter that is a month old when it is archived would be gone at once.)
  private mutating func stampResolvedDeadLetters() async throws {
    _ = try await inBatches(
      """
      UPDATE jobs.dead_letter SET resolved_at = \(now) WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM jobs.dead_letter WHERE state <> 'open' AND resolved_at IS NULL
        LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED))
      """)
  }

  /// Old receipts in the default partition. It holds few: foreign ids, jobs that were completed long after they were made,
  /// and what was still needed of partitions that are gone.
  ///
  /// Those of a job with an open letter stay, and for as long again after it was dealt with. An operator's retry, which
  /// is refused where a run is completed, would not miss them: a run follows only from the one before it that died, so of a
  /// job with an open letter no run is completed. But a late copy of the run, finding no receipt, would be completed, and its job
  /// be both completed and dead; and once that receipt were pruned as well, a retry would do it again.
  private var strayReceipts: PostgresQuery {
    """
    DELETE FROM jobs.receipt_default WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM jobs.receipt_default AS old
      WHERE at < \(receiptCutoff)::timestamptz
        AND NOT EXISTS (
          SELECT FROM jobs.dead_letter AS letter WHERE letter.job_id = old.job_id
            AND (letter.state = 'open' OR coalesce(letter.resolved_at, 'infinity') >= \(receiptCutoff)::timestamptz))
        AND NOT EXISTS (SELECT FROM jobs.scheduled WHERE scheduled.job_id = old.job_id)
        AND NOT EXISTS (SELECT FROM jobs.outbox WHERE outbox.job_id = old.job_id)
      ORDER BY at LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED))
    """
  }

  private var resolvedDeadLetters: PostgresQuery {
    let cutoff = Retention.cutoff(retention.deadLetterDays, before: now)
    return """
      DELETE FROM jobs.dead_letter WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM jobs.dead_letter
        WHERE state <> 'open' AND resolved_at < \(cutoff)::timestamptz AND last_at < \(cutoff)::timestamptz
        ORDER BY resolved_at LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED))
      """
  }

  /// A worker clears the markers of what it has finished; here go those it could not clear. A run that was begun
  /// again since, or that stands in the store, is still on its way: all its markers count. Those of completed runs do
  /// no harm, and go by their age as well: to look for their receipts could mean to read millions.
  private var staleMarkers: PostgresQuery {
    """
    DELETE FROM jobs.start_marker WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM jobs.start_marker AS old
      WHERE at < \(receiptCutoff)::timestamptz
        AND NOT EXISTS (
          SELECT FROM jobs.start_marker AS newer
          WHERE newer.job_id = old.job_id AND newer.run = old.run AND newer.at >= \(receiptCutoff)::timestamptz)
        AND NOT EXISTS (SELECT FROM jobs.scheduled WHERE scheduled.job_id = old.job_id)
        AND NOT EXISTS (SELECT FROM jobs.outbox WHERE outbox.job_id = old.job_id)
      LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED))
    """
  }

  private var oldAuditRows: PostgresQuery {
    """
    DELETE FROM jobs.audit WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM jobs.audit WHERE at < \(Retention.cutoff(retention.auditDays, before: now))::timestamptz
      ORDER BY at LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED))
    """
  }
}
