package import Foundation
package import Jobs
package import Postgres

/// The store port on PostgreSQL. Its statements take whole batches: one round trip for the receipts, one for outbox
/// and commit.
package struct PostgresJobStore: JobStore {
  private let pool: PostgresConnectionPool

  /// Uses the pool's connections; each completing transaction holds one.
  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// Runs a completing transaction on one connection of the pool, which it holds until the end.
  ///
  /// A run whose receipt another open transaction has written waits for that one. Statements that still run at the
  /// deadline are cancelled on the server; the commit has 5 s more, for its outcome must be known. Refusals
  /// that are no ``JobStoreError`` are thrown as ``PostgresError``.
  package func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (PostgresTransaction, Set<JobRun>) async throws -> Completion
  ) async throws -> [OutboxEntry] {
    do {
      return try await pool.withTransaction(deadline: deadline) { transaction in
        let open = try await insert(receipts, in: transaction)
        guard !open.isEmpty else { return [] }
        let completion = try await body(transaction, open)
        guard !completion.rollsBack else { throw RolledBack() }
        transaction.beforeCommit(try Self.statements(for: completion))
        return completion.followUps.filter { $0.dueAt == nil }.map { OutboxEntry(envelope: $0.envelope, pool: $0.pool) }
      }
    } catch is RolledBack {
      return []
    } catch let error as PostgresError {
      throw Self.translate(error)
    }
  }

  /// Runs a transaction on one connection of the pool; statements that still run at the deadline are cancelled.
  package func withTransaction(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (PostgresTransaction) async throws -> Void
  ) async throws {
    try await translating { try await pool.withTransaction(deadline: deadline) { try await body($0) } }
  }

  /// The clock of PostgreSQL.
  package func now() async throws -> Date {
    try await translating { try await pool.query("SELECT clock_timestamp()")[0].decode(0) }
  }

  /// Looks for the run's receipt, whatever its outcome, and for its markers, in one round trip.
  package func history(of job: JobRun) async throws -> RunHistory {
    try await translating {
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

  /// Rolls back without being a failure.
  private struct RolledBack: Error {}

  /// Writes the receipts and returns the runs that had none. Sorted, so that two batches with the same jobs wait
  /// instead of deadlocking.
  private func insert(_ receipts: [JobReceipt], in transaction: PostgresTransaction) async throws -> Set<JobRun> {
    let sorted = receipts.sorted { ($0.jobRun.id, $0.jobRun.run) < ($1.jobRun.id, $1.jobRun.run) }
    let inserted = try await transaction.query(
      """
      INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool)
      SELECT id, run, 'completed', kind, pool
      FROM unnest(\(sorted.map(\.jobRun.id.uuid))::uuid[], \(sorted.map(\.jobRun.run))::int[], \(sorted.map(\.kind.rawValue))::text[],
                  \(sorted.map(\.pool.rawValue))::text[]) AS new (id, run, kind, pool)
      ON CONFLICT DO NOTHING RETURNING job_id, run
      """)
    return Set(try inserted.map { try $0.jobRun() })
  }

  private static func statements(for completion: Completion) throws -> [PostgresQuery] {
    var statements: [PostgresQuery] = []
    if !completion.snoozed.isEmpty { statements.append(delete("jobs.receipt", completion.snoozed)) }
    if !completion.cancelled.isEmpty {
      let jobs = Array(completion.cancelled.keys)
      statements.append(
        """
        UPDATE jobs.receipt SET outcome = 'cancelled', reason = gone.reason
        FROM unnest(\(jobs.map(\.id.uuid))::uuid[], \(jobs.map(\.run))::int[], \(jobs.map { completion.cancelled[$0] ?? "" })::text[])
          AS gone (id, run, reason)
        WHERE job_id = gone.id AND receipt.run = gone.run AND receipt.job_id = ANY(\(jobs.map(\.id.uuid))::uuid[])
        """)
    }
    let immediate = completion.followUps.filter { $0.dueAt == nil }
    if !immediate.isEmpty {
      let rows = try EnvelopeColumns(immediate.map { ($0.envelope, $0.pool) })
      statements.append(
        """
        INSERT INTO jobs.outbox (job_id, run, pool, envelope, body)
        SELECT * FROM unnest(\(rows.ids)::uuid[], \(rows.runs)::int[], \(rows.pools)::text[], \(rows.envelopes)::jsonb[],
                             \(rows.bodies)::bytea[])
        """)
    }
    let later = completion.followUps.filter { $0.dueAt != nil }
    if !later.isEmpty {
      statements.append(try upsertScheduled(later.map { ($0.envelope, $0.pool, .at($0.dueAt ?? Date())) }))
    }
    return statements
  }

  /// The ids stand there twice: only by the second way does the planner see which partitions of receipts they are in.
  private static func delete(_ table: String, _ jobs: [JobRun]) -> PostgresQuery {
    """
    DELETE FROM \(unsafe: table) AS it USING unnest(\(jobs.map(\.id.uuid))::uuid[], \(jobs.map(\.run))::int[]) AS gone (id, run)
    WHERE it.job_id = gone.id AND it.run = gone.run AND it.job_id = ANY(\(jobs.map(\.id.uuid))::uuid[])
    """
  }

  /// When a scheduled job is due.
  private enum Due {
    /// So long from now, by the server's clock.
    case after(Duration)
    /// At an instant that a worker has named.
    case at(Date)
  }

  private static func upsertScheduled(
    _ jobs: [(JobEnvelope, PoolName, Due)], isParked: Bool = false
  ) throws -> PostgresQuery {
    let rows = try EnvelopeColumns(jobs.map { ($0.0, $0.1) })
    let delays = jobs.map { job -> Int? in if case .after(let delay) = job.2 { delay.milliseconds } else { nil } }
    let instants = jobs.map { job -> Date? in if case .at(let date) = job.2 { date } else { nil } }
    return """
      INSERT INTO jobs.scheduled (job_id, run, pool, envelope, body, due_at, parked)
      SELECT id, run, pool, envelope, body, coalesce(instant, clock_timestamp() + make_interval(secs => delay / 1000.0)),
             \(isParked)
      FROM unnest(\(rows.ids)::uuid[], \(rows.runs)::int[], \(rows.pools)::text[], \(rows.envelopes)::jsonb[],
                  \(rows.bodies)::bytea[], \(instants)::timestamptz[], \(delays)::bigint[])
        AS new (id, run, pool, envelope, body, instant, delay)
      ON CONFLICT (job_id, run) DO UPDATE
        SET due_at = excluded.due_at, pool = excluded.pool, envelope = excluded.envelope, body = excluded.body,
            parked = excluded.parked
      """
  }

  /// Deletes the entries in one statement; those that are gone already do not matter.
  package func deleteFromOutbox(_ jobs: [JobRun]) async throws {
    try await translating { _ = try await pool.query(Self.delete("jobs.outbox", jobs)) }
  }

  /// Hands over the oldest entries, at most `limit`, while their rows stay locked; other nodes skip them. Returns how
  /// many `publish` has kept. Where those rows cannot be deleted afterwards, the entries are handed over once more:
  /// the jobs' receipts make that harmless.
  package func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    try await translating {
      // The rows stay locked while they are published, so that two relays never hand over the same ones; the deadline
      // frees them.
      try await pool.withTransaction(deadline: .now + .seconds(30)) { transaction in
        let rows = try await transaction.query(
          """
          SELECT envelope::text, body, pool FROM jobs.outbox
          WHERE coalesce(tried_at, at) < now() - make_interval(secs => \(age / .seconds(1)))
          ORDER BY coalesce(tried_at, at), at, job_id LIMIT \(limit) FOR UPDATE SKIP LOCKED
          """)
        let entries = try rows.map { try $0.outboxEntry() }
        guard !entries.isEmpty else { return 0 }
        let kept = await publish(entries)
        if !kept.isEmpty { transaction.beforeCommit([Self.delete("jobs.outbox", kept)]) }
        // What could not be handed over goes to the end of the line: a pool without a queue must not hold up the
        // others.
        let left = Set(entries.map(\.envelope.jobRun)).subtracting(kept)
        if !left.isEmpty {
          transaction.beforeCommit([
            """
            UPDATE jobs.outbox AS it SET tried_at = now()
            FROM unnest(\(left.map(\.id.uuid))::uuid[], \(left.map(\.run))::int[]) AS tried (id, run)
            WHERE it.job_id = tried.id AND it.run = tried.run
            """
          ])
        }
        return kept.count
      }
    }
  }

  /// Keeps the job in `jobs.scheduled`; for a run that is there already, instant and envelope are replaced.
  package func schedule(_ envelope: JobEnvelope, pool name: PoolName, for delay: Duration) async throws {
    let statement = try Self.upsertScheduled([(envelope, name, .after(delay))])
    try await translating { _ = try await pool.query(statement) }
  }

  /// Keeps the job in `jobs.scheduled` for six hours, marked as parked.
  package func park(_ envelope: JobEnvelope, pool name: PoolName) async throws {
    let statement = try Self.upsertScheduled([(envelope, name, .after(.seconds(6 * 3_600)))], isParked: true)
    try await translating { _ = try await pool.query(statement) }
  }

  /// Makes parked jobs due now, in one statement; what another node has locked is left to it.
  package func unpark(pool name: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try await translating {
      try await pool.query(
        """
        UPDATE jobs.scheduled SET due_at = now(), parked = false WHERE (job_id, run) IN (
          SELECT job_id, run FROM jobs.scheduled
          WHERE parked AND pool = \(name.rawValue) AND NOT envelope ->> 'kind' = ANY(\(paused.map(\.rawValue))::text[])
          LIMIT \(limit) FOR UPDATE SKIP LOCKED)
        """
      ).affectedRows
    }
  }

  /// Moves the jobs that have been due longest to the outbox in one statement, at most `limit`; what another node has
  /// locked is skipped. Due is what the server's clock says.
  package func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try await translating {
      try await pool.query(
        """
        WITH due AS (
          DELETE FROM jobs.scheduled WHERE (job_id, run) IN (
            SELECT job_id, run FROM jobs.scheduled
            -- A row of an earlier release that is still to be deleted would take this one with it: then it waits a moment.
            WHERE due_at <= now() AND NOT EXISTS (
              SELECT FROM jobs.outbox WHERE outbox.job_id = scheduled.job_id AND outbox.run = scheduled.run)
            ORDER BY due_at LIMIT \(limit) FOR UPDATE SKIP LOCKED)
          RETURNING job_id, run, pool, envelope, body)
        INSERT INTO jobs.outbox (job_id, run, pool, envelope, body) SELECT * FROM due
        RETURNING envelope::text, body, pool
        """
      ).map { try $0.outboxEntry() }
    }
  }

  /// Adds a marker and counts those of the run, in one round trip.
  package func markStart(_ job: JobRun, node: String) async throws -> Int {
    try await translating {
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
    try await translating { _ = try await pool.query(Self.delete("jobs.start_marker", [job])) }
  }

  private func translating<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as PostgresError { throw Self.translate(error) }
  }

  /// Above this module nobody knows SQLSTATEs.
  static func translate(_ error: PostgresError) -> any Error {
    if case .commitInDoubt = error { return JobStoreError.inDoubt }
    if error.isUnavailable { return JobStoreError.unavailable(error.description) }
    if error.isContention { return JobStoreError.contention }
    return error
  }
}

/// Envelopes as arrays, a column each, for statements that take many rows at once.
struct EnvelopeColumns {
  var ids: [UUID] = []
  var runs: [Int] = []
  var pools: [String] = []
  var envelopes: [String] = []
  var bodies: [Data] = []

  init(_ jobs: [(JobEnvelope, PoolName)]) throws {
    let encoder = JSONEncoder()
    for (envelope, pool) in jobs {
      ids.append(envelope.id.uuid)
      runs.append(envelope.run)
      pools.append(pool.rawValue)
      envelopes.append(String(decoding: try encoder.encode(envelope), as: UTF8.self))
      bodies.append(envelope.body)
    }
  }
}

extension PostgresRow {
  /// Reads `job_id, run` from the first columns.
  func jobRun() throws -> JobRun { JobRun(id: JobID(try decode(0)), run: try decode(1)) }

  /// Reads `envelope::text, body` from the first columns.
  func envelope() throws -> JobEnvelope {
    var envelope = try JSONDecoder().decode(JobEnvelope.self, from: Data(try decode(0, as: String.self).utf8))
    envelope.body = try decode(1)
    return envelope
  }

  /// Reads `envelope::text, body, pool`.
  func outboxEntry() throws -> OutboxEntry {
    OutboxEntry(envelope: try envelope(), pool: PoolName(rawValue: try decode(2)))
  }
}

extension Duration {
  /// Whole milliseconds, rounded up: what is put off comes no sooner than it should.
  fileprivate var milliseconds: Int { Int((self / .milliseconds(1)).rounded(.up)) }
}
