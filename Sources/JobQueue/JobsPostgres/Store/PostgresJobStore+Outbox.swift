package import Jobs
package import Postgres

extension PostgresJobStore {
  /// Enqueues jobs with a transaction of the caller: they exist if it commits, and not otherwise.
  ///
  /// A worker process publishes them within seconds after the commit. A run that is in the outbox already is left as it
  /// is. Throws ``JobTooLarge``; other errors are the transaction's own, ``PostgresError``.
  ///
  /// - Parameter entries: each with the pool that takes its kind, which is not checked here; none: nothing happens.
  package func enqueue(_ entries: [OutboxEntry], in transaction: PostgresTransaction) async throws {
    for entry in entries { try JobTooLarge.check(entry.envelope) }
    for page in entries.pages(\.envelope.body.count) { try await transaction.query(try Self.enqueue(page)) }
  }

  private static func enqueue(_ entries: ArraySlice<OutboxEntry>) throws -> PostgresQuery {
    let rows = try EnvelopeColumns(entries.map { ($0.envelope.asCounted, $0.pool) })
    // The same run twice in `entries` is one row as well. A run that was enqueued before is counted already.
    return """
      WITH put AS (
        INSERT INTO jobs.outbox (job_id, run, pool, envelope, body) SELECT * FROM \(unnest: rows)
        ON CONFLICT DO NOTHING RETURNING job_id, run, pool)
      INSERT INTO jobs.flow (pool, accepted) SELECT pool, count(*) FROM put
      WHERE NOT EXISTS (
          SELECT FROM jobs.accepted WHERE accepted.job_id = put.job_id AND accepted.run = put.run)
        AND NOT EXISTS (
          SELECT FROM jobs.receipt WHERE receipt.job_id = put.job_id AND receipt.run = put.run
            AND receipt.job_id = ANY(\(rows.ids)::uuid[]))
      GROUP BY pool
      """
  }

  /// Deletes the entries in one statement, which records those that have not ended; those that are gone already do not
  /// matter.
  package func deleteFromOutbox(_ jobs: [JobRun]) async throws {
    guard !jobs.isEmpty else { return }
    try await withPortErrors { _ = try await pool.query(.deleteFromOutbox(jobs, bodiless: bodiless)) }
  }

  /// The bodies that are read in one go, in bytes. Where one body is larger it is read alone.
  static let pageBytesMax = ParameterPage.bytesMax

  /// Hands over the oldest entries, at most `limit` and at most ``pageBytesMax``, but at least one, while their rows
  /// stay locked; other nodes skip them. Those that cannot be read are left out and postponed. Returns how many
  /// `publish` has kept. Where those rows cannot be deleted afterwards, the entries are handed over once more: the
  /// jobs' receipts make that harmless.
  package func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    try await withPortErrors {
      // The rows stay locked while they are published, so that two relays never hand over the same ones; the deadline
      // frees them.
      try await pool.withTransaction(deadline: .now + .seconds(30)) { transaction in
        let rows = try await transaction.query(
          """
          WITH candidate AS (
            SELECT envelope, body, pool, coalesce(tried_at, at) AS since, at, job_id, run FROM jobs.outbox
            WHERE coalesce(tried_at, at) < now() - make_interval(secs => \(age / .seconds(1)))
            ORDER BY coalesce(tried_at, at), at, job_id LIMIT \(limit) FOR UPDATE SKIP LOCKED),
          sized AS (
            SELECT *, row_number() OVER place AS number, sum(octet_length(body)) OVER place AS bytes
            FROM candidate WINDOW place AS (ORDER BY since, at, job_id, run ROWS UNBOUNDED PRECEDING))
          SELECT envelope::text, body, pool, job_id, run FROM sized WHERE number = 1 OR bytes <= \(Self.pageBytesMax)
          ORDER BY number
          """)
        let (entries, unreadable) = try self.entries(of: rows)
        let published = entries.isEmpty ? [] : await publish(entries)
        if !published.isEmpty { transaction.beforeCommit([.deleteFromOutbox(published, bodiless: bodiless)]) }
        let unpublished = Set(entries.map(\.envelope.jobRun) + unreadable).subtracting(published)
        if !unpublished.isEmpty { transaction.beforeCommit([Self.postpone(Array(unpublished))]) }
        return published.count
      }
    }
  }

  /// The rows that can be read, and the runs of the others, which are logged.
  func entries(of rows: PostgresResult) throws -> (readable: [OutboxEntry], unreadable: [JobRun]) {
    var (entries, failures): ([OutboxEntry], [UnreadableRow]) = ([], [])
    for row in rows {
      switch try row.outboxEntry() {
      case .success(let entry): entries.append(entry)
      case .failure(let row): failures.append(row)
      }
    }
    unreadable.note(failures)
    return (entries, failures.map(\.jobRun))
  }

  /// Entries that could not be published are tried again after all others: a pool without a queue, or a row that cannot
  /// be read, must not hold up the rest.
  private static func postpone(_ jobs: [JobRun]) -> PostgresQuery {
    """
    UPDATE jobs.outbox AS it SET tried_at = now() FROM \(unnest: jobs) AS tried (id, run)
    WHERE it.job_id = tried.id AND it.run = tried.run
    """
  }

  /// The statements that write one page of follow-ups: to the outbox, or to `jobs.scheduled` where they are due later.
  static func store(_ followUps: ArraySlice<RoutedFollowUp>) throws -> [PostgresQuery] {
    var statements: [PostgresQuery] = []
    let immediate = followUps.filter { $0.dueAt == nil }
    if !immediate.isEmpty { statements.append(try insertOutbox(immediate.map { ($0.envelope, $0.pool) })) }
    let later = followUps.compactMap { job in job.dueAt.map { (job.envelope, job.pool, Due.at($0)) } }
    if !later.isEmpty { statements.append(try upsertScheduled(later)) }
    return statements
  }

  private static func insertOutbox(_ jobs: [(JobEnvelope, PoolName)]) throws -> PostgresQuery {
    let rows = try EnvelopeColumns(jobs)
    return "INSERT INTO jobs.outbox (job_id, run, pool, envelope, body) SELECT * FROM \(unnest: rows)"
  }
}
