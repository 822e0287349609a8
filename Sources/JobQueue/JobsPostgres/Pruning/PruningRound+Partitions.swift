internal import Foundation
internal import Postgres

/// Creating and dropping partitions of `jobs.receipt`.
extension PruningRound {
  /// A partition with more needed receipts than this is not dropped. Moving 1,000 of them takes 20 ms, and 70 ms on a
  /// busy machine, and all completing transactions wait for that.
  private static let neededMax = 1_000
  /// Statements that take longer while completing transactions wait are cancelled.
  private static let statementTimeout = "100ms"

  /// Creates the partitions of the coming weeks.
  ///
  /// `CREATE TABLE PARTITION OF` would lock out all completing transactions; attaching a table does not. It locks the
  /// default partition, which a completing transaction uses only to cancel or snooze jobs, and reads all of it (120 ms
  /// for a million rows). A CHECK constraint would make reading unnecessary, but if this process died before it dropped
  /// the constraint, every receipt of that week would be refused.
  mutating func createPartitions() async throws {
    let existing = try await partitions()
    for partition in ReceiptPartition.missing(at: now, among: existing) {
      let table = "jobs.\(partition.name)"
      let (lower, upper) = (partition.lowerBound, partition.upperBound)
      let isCreated = try await runUnlessLocked([
        "CREATE TABLE \(unsafe: table) (LIKE jobs.receipt INCLUDING ALL)",
        "LOCK TABLE jobs.receipt_default IN ACCESS EXCLUSIVE MODE",
        // Receipts in the default partition whose (foreign) ids are of that week would make ATTACH fail.
        """
        WITH early AS (DELETE FROM jobs.receipt_default WHERE job_id >= \(lower) AND job_id < \(upper) RETURNING *)
        INSERT INTO \(unsafe: table) SELECT * FROM early
        """,
        """
        ALTER TABLE jobs.receipt ATTACH PARTITION \(unsafe: table)
        FOR VALUES FROM ('\(unsafe: lower.uuidString)') TO ('\(unsafe: upper.uuidString)')
        """,
      ])
      guard isCreated else {
        // The later ones are postponed as well, so that there is no gap.
        pruned.partitionsPostponed += 1
        return
      }
      pruned.partitionsCreated += 1
    }
  }

  /// Drops the partitions whose ids are all older than the retention. Receipts that are still needed are moved to the
  /// default partition.
  ///
  /// Dropping blocks all completing transactions for 4 ms and the time of moving. (`DETACH CONCURRENTLY` would not, but
  /// is refused when there is a default partition.) It waits for their locks, but not for others', such as
  /// autovacuum's.
  mutating func dropPartitions() async throws {
    let existing = try await partitions()
    for partition in ReceiptPartition.expired(before: receiptCutoff, among: existing) {
      let table = "jobs.\(partition.name)"
      guard try await summarize(table), try await neededCount(in: partition) <= Self.neededMax else {
        pruned.partitionsPostponed += 1
        continue
      }
      let isDropped = try await runUnlessLocked([
        "SET LOCAL statement_timeout = '\(unsafe: Self.statementTimeout)'",
        "LOCK TABLE ONLY jobs.receipt IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE \(unsafe: table), jobs.receipt_default IN ACCESS EXCLUSIVE MODE NOWAIT",
        "ALTER TABLE jobs.receipt DETACH PARTITION \(unsafe: table)",
        needed(in: partition, "INSERT INTO jobs.receipt_default", ""),
        "DROP TABLE \(unsafe: table)",
      ])
      guard isDropped else {
        // Trying the next one would block completing transactions once more.
        pruned.partitionsPostponed += 1
        return
      }
      pruned.partitionsDropped += 1
    }
  }

  private func partitions() async throws -> [ReceiptPartition] {
    try await connection.query(
      """
      SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
      WHERE inhparent = 'jobs.receipt'::regclass
      """
    ).compactMap { ReceiptPartition(name: try $0.decode(0)) }
  }

  /// Brings the index on `at` up to date, which otherwise only VACUUM does: without it the youngest part of the table
  /// would be read while it is locked. False: autovacuum has the table locked.
  private func summarize(_ table: String) async throws -> Bool {
    do {
      // The part that VACUUM has not seen may be large, but this statement blocks no other.
      try await connection.query(
        """
        SELECT brin_summarize_new_values(indexrelid) FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
        WHERE indrelid = \(table)::regclass AND amname = 'brin'
        """, deadline: .now + .seconds(600))
      return true
    } catch let error as PostgresError where error.isContention {
      return false
    }
  }

  /// How many of a partition's receipts are needed; it stops counting above ``neededMax``. It also brings the rows into
  /// memory before they are moved.
  private func neededCount(in partition: ReceiptPartition) async throws -> Int {
    try await connection.query(
      needed(in: partition, "SELECT count(*) FROM (", "LIMIT \(Self.neededMax + 1)) AS needed"))[0].decode(0)
  }

  /// An old partition's receipts that are still needed: those written within the retention (of jobs that were scheduled
  /// for long, or retried by an operator), and those of jobs that are still in the store. Ids have no lower bound here,
  /// because the very first partition has none.
  private func needed(in partition: ReceiptPartition, _ head: String, _ tail: String) -> PostgresQuery {
    let upper = partition.upperBound
    return """
      \(unsafe: head)
      SELECT * FROM jobs.\(unsafe: partition.name) WHERE at >= \(receiptCutoff)::timestamptz
      UNION
      SELECT receipt.* FROM (
        SELECT job_id FROM jobs.dead_letter WHERE job_id < \(upper)
          AND (state = 'open' OR coalesce(resolved_at, 'infinity') >= \(receiptCutoff)::timestamptz)
        UNION SELECT job_id FROM jobs.scheduled WHERE job_id < \(upper)
        UNION SELECT job_id FROM jobs.outbox WHERE job_id < \(upper)
      ) AS job JOIN jobs.\(unsafe: partition.name) AS receipt USING (job_id)
      \(unsafe: tail)
      """
  }

  /// Runs statements as one transaction in one round trip. False: a lock was not free, or `statement_timeout` (57014)
  /// was over, and nothing was done.
  private func runUnlessLocked(_ statements: [PostgresQuery]) async throws -> Bool {
    do {
      try await connection.run(["BEGIN"] + statements + ["COMMIT"])
      return true
    } catch let error as PostgresError where error.isContention || error.sqlState == "57014" {
      try await connection.query("ROLLBACK")
      return false
    }
  }
}
