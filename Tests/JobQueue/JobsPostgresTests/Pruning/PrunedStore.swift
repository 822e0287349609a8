import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// A store that is pruned, and what its tests do with it.
struct PrunedStore: Sendable {
  let pool: PostgresConnectionPool
  let pruner: JobPruner
  let now = Date()

  static let day = 86_400.0

  var store: PostgresJobStore { PostgresJobStore(pool: pool) }
  var index: PostgresDeadLetterIndex { PostgresDeadLetterIndex(pool: pool) }

  /// Forty days from now: what is written today is older then than receipts are kept, and so is the partition it is in.
  var later: Date { now + 40 * Self.day }

  /// Lends one on a database of its own.
  static func with(_ body: (PrunedStore) async throws -> Void) async throws {
    try await withTestDatabase { pool, configuration async throws in
      try await body(PrunedStore(pool: pool, pruner: JobPruner(configuration)))
    }
  }

  /// Prunes until nothing had to wait, and returns what all rounds did together: the server's own autovacuum may hold a
  /// partition for longer than a round waits.
  func prune(now: Date = Date()) async throws -> JobPruner.Summary {
    let rounds = Locked<[JobPruner.Summary]>([])
    try await eventually(within: .seconds(20), "no partition is postponed") {
      let round = try await pruner.prune(now: now)
      rounds.change { $0.append(round) }
      return round.partitionsPostponed == 0
    }
    var all = try #require(rounds.value.last)
    for round in rounds.value.dropLast() {
      all.partitionsCreated += round.partitionsCreated
      all.partitionsDropped += round.partitionsDropped
      all.receipts += round.receipts
      all.deadLetters += round.deadLetters
      all.startMarkers += round.startMarkers
      all.auditRows += round.auditRows
    }
    return all
  }

  /// Completes a job; false: it had a receipt.
  @discardableResult
  func complete(_ job: JobRun, followUps: [JobEnvelope] = []) async throws -> Bool {
    let ran = Locked(false)
    _ = try await store.complete([receipt(of: job)], deadline: .now + .seconds(20)) { _, _ in
      ran.change { $0 = true }
      var completion = Completion()
      completion.followUps = followUps.map { RoutedFollowUp(envelope: $0, pool: "one", dueAt: nil) }
      return completion
    }
    return ran.value
  }

  /// Keeps the completing transaction of a job open until `leave` is, after one statement of its own.
  func hold(_ job: JobRun, _ statement: PostgresQuery, inside: Gate, leave: Gate) async throws {
    _ = try await store.complete([receipt(of: job)], deadline: .now + .seconds(40)) { transaction, _ in
      try await transaction.query(statement)
      inside.open()
      try await leave.wait()
      return Completion()
    }
  }

  private func receipt(of job: JobRun) -> JobReceipt { JobReceipt(jobRun: job, kind: "test.kind", pool: "one") }

  /// Writes the receipts of jobs' first runs as if they had been completed at this instant.
  func write(_ jobs: [JobRun], at instant: Date) async throws {
    try await pool.query(
      """
      INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool, at)
      SELECT id, 1, 'completed', 'test.kind', 'one', \(instant)::timestamptz
      FROM unnest(\(jobs.map(\.id.uuid))::uuid[]) AS job (id)
      """)
  }

  /// Writes so many receipts whose ids are no UUIDv7 and greater than any.
  func writeForeign(_ count: Int, at instant: Date) async throws {
    try await pool.query(
      """
      INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool, at)
      SELECT ('ff' || substr(md5(number::text), 3))::uuid, 1, 'completed', 'test.kind', 'one', \(instant)::timestamptz
      FROM generate_series(1, \(count)::int) AS number
      """)
  }

  /// Which of the jobs have a receipt.
  func completed(_ jobs: [JobRun]) async throws -> [JobRun] {
    var completed: [JobRun] = []
    for job in jobs {
      let history = try await store.history(of: job)
      if history.hasReceipt { completed.append(job) }
    }
    return completed
  }

  /// The partition a job's receipt is in.
  func place(of job: JobRun) async throws -> String? {
    let rows = try await pool.query("SELECT tableoid::regclass::text FROM jobs.receipt WHERE job_id = \(job.id.uuid)")
    return try rows.first?.decode(0, as: String.self)
  }

  /// All partitions of receipts, the default one among them.
  func partitions() async throws -> Set<String> {
    let rows = try await pool.query(
      "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'jobs.receipt'::regclass")
    return Set(try rows.map { try $0.decode(0, as: String.self) })
  }
}
