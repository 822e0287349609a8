package import Foundation
package import Jobs
package import Logging
package import Postgres

/// The store port on PostgreSQL. Its statements take whole batches: one round trip for the receipts, one for outbox
/// and commit.
package struct PostgresJobStore: JobStore {
  let pool: PostgresConnectionPool
  /// Pools of whose accepted jobs the bodies are not kept.
  let bodiless: [PoolName]
  let unreadable: UnreadableRowLog

  /// Uses the pool's connections; each completing transaction holds one.
  ///
  /// - Parameter logger: is told of rows that cannot be read.
  package init(
    pool: PostgresConnectionPool, bodiless: [PoolName] = [], logger: Logger = Logger(label: "vluma.store")
  ) {
    self.pool = pool
    self.bodiless = bodiless
    unreadable = UnreadableRowLog(logger: logger)
  }

  /// Runs a completing transaction on one connection of the pool, which it holds until the end.
  ///
  /// A run whose receipt another open transaction has written waits for that one; a wait for a lock ends before the
  /// deadline, as contention. Statements that still run at the deadline are cancelled on the server; the commit has 5 s
  /// more, for its outcome must be known. Refusals that are no ``JobStoreError`` are thrown as ``PostgresError``.
  package func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (PostgresTransaction, Set<JobRun>) async throws -> Completion
  ) async throws -> Completion? {
    do {
      return try await withPortErrors {
        try await pool.withTransaction(deadline: deadline) { transaction in
          let open = try await insert(receipts, in: transaction, after: lockTimeout(before: deadline))
          guard !open.isEmpty else { return nil }
          let completion = try await body(transaction, open)
          guard !completion.rollsBack else { throw RolledBack(completion: completion) }
          let pages = completion.followUps.pages(\.envelope.body.count)
          for page in pages.dropLast() { try await transaction.run(try Self.store(page)) }
          transaction.beforeCommit(
            try pages.suffix(1).flatMap(Self.store)
              + Self.statements(for: completion, ending: receipts.filter { open.contains($0.jobRun) }))
          return completion
        }
      }
    } catch let error as RolledBack {
      return error.completion
    }
  }

  /// Rolls back without being a failure.
  private struct RolledBack: Error { let completion: Completion }

  /// Runs a transaction on one connection of the pool; statements that still run at the deadline are cancelled.
  package func withTransaction<Value: Sendable>(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    try await withPortErrors {
      try await pool.withTransaction(deadline: deadline) { transaction in
        if let lockTimeout = lockTimeout(before: deadline) { try await transaction.query(lockTimeout) }
        return try await body(transaction)
      }
    }
  }

  /// Shortens the transaction's wait for a lock where it would last until the deadline; nil: the connection's own is
  /// short enough. A statement that the deadline cancels is taken for slow, and what waits for a lock is not.
  private func lockTimeout(before deadline: ContinuousClock.Instant) -> PostgresQuery? {
    let remaining = deadline - .now
    guard remaining * 0.75 < pool.configuration.lockTimeout else { return nil }
    return .lockTimeout(remaining * 0.75)
  }

  /// The clock of PostgreSQL.
  package func now() async throws -> Date {
    try await withPortErrors { try await pool.query("SELECT clock_timestamp()")[0].decode(0) }
  }

  /// Looks for the run's receipt, whatever its outcome, and for its markers, in one round trip.
  package func history(of job: JobRun) async throws -> RunHistory {
    try await withPortErrors {
      let row = try await pool.query(
        """
        SELECT EXISTS (SELECT FROM jobs.receipt WHERE job_id = \(job.id.uuid) AND run = \(job.run)), count(*),
               extract(epoch FROM clock_timestamp() - max(at))::float8
        FROM jobs.start_marker WHERE job_id = \(job.id.uuid) AND run = \(job.run)
        """)[0]
      let seconds = try row.decodeIfPresent(2, as: Double.self)
      return RunHistory(
        hasReceipt: try row.decode(0), starts: try row.decode(1), timeSinceLastStart: seconds.map { .seconds($0) })
    }
  }

  /// Adds a marker and counts those of the run, in one round trip.
  package func markStart(_ job: JobRun, node: String) async throws -> Int {
    try await withPortErrors {
      try await pool.withConnection { connection in
        try await connection.run([
          "INSERT INTO jobs.start_marker (job_id, run, node) VALUES (\(job.id.uuid), \(job.run), \(node))",
          "SELECT count(*) FROM jobs.start_marker WHERE job_id = \(job.id.uuid) AND run = \(job.run)",
        ])[1][0].decode(0)
      }
    }
  }

  /// Deletes all markers of the run, whichever node made them.
  package func clearStarts(_ job: JobRun) async throws {
    try await withPortErrors { _ = try await pool.query(.delete([job], from: "jobs.start_marker")) }
  }
}

// MARK: - Statements of a completing transaction

extension PostgresJobStore {
  /// Writes the receipts and returns the runs that had none. Sorted, so that two batches with the same jobs wait
  /// instead of deadlocking.
  private func insert(
    _ receipts: [JobReceipt], in transaction: PostgresTransaction, after lockTimeout: PostgresQuery?
  ) async throws -> Set<JobRun> {
    let sorted = receipts.sorted { ($0.jobRun.id, $0.jobRun.run) < ($1.jobRun.id, $1.jobRun.run) }
    let insert: PostgresQuery = """
      INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool)
      SELECT id, run, 'completed', kind, pool
      FROM unnest(\(sorted.map(\.jobRun.id.uuid))::uuid[], \(sorted.map(\.jobRun.run))::int[],
                  \(sorted.map(\.kind.rawValue))::text[], \(sorted.map(\.pool.rawValue))::text[])
        AS new (id, run, kind, pool)
      ON CONFLICT DO NOTHING RETURNING job_id, run
      """
    let results = try await transaction.run([lockTimeout, insert].compactMap(\.self))
    return Set(try results[results.count - 1].map { try $0.jobRun() })
  }

  /// What ends the runs and counts them; the follow-ups are written besides.
  ///
  /// - Parameter receipts: those of the open runs, of one pool.
  private static func statements(
    for completion: Completion, ending receipts: [JobReceipt]
  ) -> [PostgresQuery] {
    var statements: [PostgresQuery] = []
    if !completion.snoozed.isEmpty { statements.append(.delete(completion.snoozed, from: "jobs.receipt")) }
    if !completion.cancelled.isEmpty { statements.append(cancel(completion.cancelled)) }
    let snoozed = Set(completion.snoozed)
    // The same run twice in one batch ends once.
    let ended = Dictionary(receipts.filter { !snoozed.contains($0.jobRun) }.map { ($0.jobRun, $0) }) { one, _ in one }
    if let pool = receipts.first?.pool, !ended.isEmpty || !completion.followUps.isEmpty {
      statements.append(
        .end(
          .init(
            receipts: Array(ended.values), pool: pool, cancelled: completion.cancelled.count,
            accepted: Dictionary(completion.followUps.map { ($0.pool, 1) }, uniquingKeysWith: +))))
    }
    return statements
  }

  private static func cancel(_ reasons: [JobRun: String]) -> PostgresQuery {
    let jobs = Array(reasons.keys)
    return """
      UPDATE jobs.receipt SET outcome = 'cancelled', reason = gone.reason
      FROM unnest(\(jobs.map(\.id.uuid))::uuid[], \(jobs.map(\.run))::int[], \(jobs.map { reasons[$0] ?? "" })::text[])
        AS gone (id, run, reason)
      WHERE job_id = gone.id AND receipt.run = gone.run AND receipt.job_id = ANY(\(jobs.map(\.id.uuid))::uuid[])
      """
  }
}
