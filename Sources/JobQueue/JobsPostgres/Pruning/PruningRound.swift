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
  /// Between two of them, so that other transactions reach the disk.
  private static let batchDelay = Duration.milliseconds(20)

  /// Older receipts may be deleted.
  var receiptCutoff: Date { Retention.cutoff(retention.receiptDays, before: now) }

  /// Partitions are created first, because that must not wait for anything else; they are dropped last.
  mutating func run() async throws {
    // Rows must be found by an index. On a table that was not analysed yet the planner does not know how few rows are
    // old: it would read the whole table, also while a partition is locked.
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
      try await Task.sleep(for: Self.batchDelay)
    }
    pruned.hasMore = true
    return sum
  }

  /// The time of a retry or archiving is not stored: the retention runs from the first round that sees it. (It cannot
  /// run from the time of death: a letter that is a month old when it is archived would be deleted at once.)
  private mutating func stampResolvedDeadLetters() async throws {
    _ = try await inBatches(
      """
      UPDATE jobs.dead_letter SET resolved_at = \(now) WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM jobs.dead_letter WHERE state <> 'open' AND resolved_at IS NULL
        LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED))
      """)
  }

  /// Old receipts in the default partition. It holds few: foreign ids, jobs that were completed long after they were
  /// made, and receipts that were still needed when their partition was dropped.
  ///
  /// Those of a job with an open dead letter stay, and for the same time after it was retried or archived: a late copy
  /// of the run that found no receipt would be completed, and its job would be both completed and dead. After that
  /// receipt was pruned as well, a retry would repeat the effect.
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

  /// Markers that a worker could not clear. A run that was started again since, or that is in the store, is not ended:
  /// all its markers stay. Those of completed runs are harmless and are deleted by age as well: looking for their
  /// receipts could read millions of rows.
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
