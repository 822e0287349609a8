internal import Foundation
internal import Postgres

/// The partitions of `jobs.receipt`.
extension PruningRound {
  /// More receipts than these are not moved out of a partition that is dropped: 1,000 take 20 ms, on a busy machine 70,
  /// and all completing transactions wait for that.
  private static let neededMax = 1_000
  /// A statement that takes longer than this while they wait is given up, whatever it is that takes so long.
  private static let statementTimeout = "100ms"

  /// Makes the partitions of the weeks to come.
  ///
  /// `CREATE TABLE PARTITION OF` would lock out all completing transactions; attaching a table does not. It locks the
  /// default partition, which a completing transaction touches only where it cancels or puts off jobs, and reads all of
  /// it (120 ms for a million rows). A CHECK constraint could save the reading, but if this process died before it
  /// took that back, every receipt would be refused once its week has come.
  mutating func createPartitions() async throws {
    let existing = try await partitions()
    for partition in ReceiptPartition.missing(at: now, among: existing) {
      let table = "jobs.\(partition.name)"
      let (lower, upper) = (partition.lowerBound, partition.upperBound)
      let isCreated = try await runUnlessLocked([
        "CREATE TABLE \(unsafe: table) (LIKE jobs.receipt INCLUDING ALL)",
        "LOCK TABLE jobs.receipt_default IN ACCESS EXCLUSIVE MODE",
        // A receipt whose id is of that week already: a foreign one. In the default partition it would be in the way.
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
        // The later ones wait as well, so that no gap is left behind.
        pruned.partitionsPostponed += 1
        return
      }
      pruned.partitionsCreated += 1
    }
  }

  /// Drops the partitions whose ids are all older than the retention, but for the receipts that are still needed: these
  /// go to the default partition.
  ///
  /// Dropping locks out all completing transactions: for 4 ms, and the time that moving takes. (`DETACH CONCURRENTLY`,
  /// which would not, is refused where there is a default partition.) They are waited for first, and whoever else uses
  /// the tables, such as autovacuum, not at all.
  mutating func dropPartitions() async throws {
    let existing = try await partitions()
    for partition in ReceiptPartition.over(before: receiptCutoff, among: existing) {
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
        // To try the next one as well would hold up everybody once more.
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
  /// would be read under the lock. False where autovacuum is at it.
  private func summarize(_ table: String) async throws -> Bool {
    do {
      // The part that VACUUM has not seen may be large; nobody waits for this.
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

  /// How many of a partition's receipts are needed; it stops counting where they are too many. What it reads is in
  /// memory when they are moved.
  private func neededCount(in partition: ReceiptPartition) async throws -> Int {
    try await connection.query(
      needed(in: partition, "SELECT count(*) FROM (", "LIMIT \(Self.neededMax + 1)) AS needed"))[0].decode(0)
  }

  /// An old partition's receipts that must outlive it: those written within the retention (of jobs that were put off
  /// for long, or retried by an operator), and those of jobs that still stand in the store. The very first partition
  /// has no lower bound, so none is set.
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

  /// Runs statements as one transaction in one round trip; false where a lock was not to be had, or `statement_timeout`
  /// (57014) was over: then nothing was done.
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
