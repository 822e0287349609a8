import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// What the store says of what lies in it, and how that is given to other pools.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct BacklogSnapshotTests {
  private func store(_ pool: PostgresConnectionPool) -> PostgresJobStore { PostgresJobStore(pool: pool) }

  /// Completes a job of the pool `cause` from which these follow, for the pool `one`.
  private func enqueue(_ followers: [JobEnvelope], _ pool: PostgresConnectionPool, cause: JobID = JobID()) async throws
  {
    let receipt = JobReceipt(jobRun: JobRun(id: cause), kind: "test.cause", pool: "cause")
    _ = try await store(pool).complete([receipt], deadline: .now + .seconds(10)) { _, _ in
      var completion = Completion()
      completion.followUps = followers.map { RoutedFollowUp(envelope: $0, pool: "one", dueAt: nil) }
      return completion
    }
  }

  private func age(_ table: String, _ column: String, by interval: String, _ pool: PostgresConnectionPool) async throws
  {
    try await pool.query(
      "UPDATE jobs.\(unsafe: table) SET \(unsafe: column) = now() - interval '\(unsafe: interval)'")
  }

  @Test func `a fresh store holds nothing`() async throws {
    try await withTestDatabase { pool, _ async throws in
      #expect(try await BacklogSnapshot.read(pool) == BacklogSnapshot())
    }
  }

  @Test func `jobs of the outbox are counted by pool and kind, and are overdue after a minute`() async throws {
    try await withTestDatabase { pool, _ async throws in
      try await enqueue([SampleJobs.full(), SampleJobs.full()], pool)
      try await age("outbox", "at", by: "61 seconds", pool)
      try await enqueue([SampleJobs.full(), SampleJobs.bare()], pool)
      let backlog = try await BacklogSnapshot.read(pool)
      #expect(
        backlog.outbox == [
          .init(pool: "one", kind: "test.bare", count: 1, overdue: 0),
          .init(pool: "one", kind: "test.full", count: 3, overdue: 2),
        ])
    }
  }

  @Test func `a retried letter is overdue once it could not be handed over`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      try await index.record([SampleJobs.letter(SampleJobs.full(), SampleJobs.deadLetterInfo(pool: "one"))])
      _ = try await index.retry(DeadLetterFilter(), by: "test")
      #expect(try await BacklogSnapshot.read(pool).outbox.map(\.overdue) == [0])
      _ = try await store(pool).relayOutbox(olderThan: .zero, limit: 10) { _ in [] }
      #expect(try await BacklogSnapshot.read(pool).outbox.map(\.overdue) == [1])
    }
  }

  @Test func `scheduled jobs are overdue ten seconds after they were due`() async throws {
    try await withTestDatabase { pool, _ async throws in
      for seconds in [-60.0, -5, 60] {
        try await store(pool).schedule(SampleJobs.full(), pool: "two", after: .seconds(seconds))
      }
      #expect(
        try await BacklogSnapshot.read(pool).scheduled == [.init(pool: "two", kind: "test.full", count: 3, overdue: 1)])
    }
  }

  @Test func `open dead letters are counted by cause, the largest group first`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      let rare = SampleJobs.deadLetterInfo(pool: "one", cause: "Rare")
      let common = SampleJobs.deadLetterInfo(pool: "two", cause: "Common")
      let gone = SampleJobs.letter(SampleJobs.full(), rare)
      let open = [rare, common, common].map { SampleJobs.letter(SampleJobs.full(), $0) }
      try await index.record(open + [gone])
      _ = try await index.archive(DeadLetterFilter(ids: [gone.jobRun.id]), by: "test")
      #expect(
        try await BacklogSnapshot.read(pool).dead == [
          .init(
            pool: "two", kind: "test.full", reason: .permanentError, fingerprint: common.fingerprint, count: 2),
          .init(pool: "one", kind: "test.full", reason: .permanentError, fingerprint: rare.fingerprint, count: 1),
        ])
    }
  }

  @Test func `pools are knownPools from everything that was ever written of them`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let directory = PostgresPoolDirectory(pool: pool, logger: logger)
      _ = try await directory.change("set", by: "test") { $0.size = 2 }
      _ = try await directory.change("forgotten", by: "test") { $0.size = 2 }
      try await pool.query("DELETE FROM jobs.pool_setting WHERE pool = 'forgotten'")
      let node = NodeReport(id: "n", startedAt: Date(), pools: ["run": PoolReport()])
      _ = try await directory.renewLease(node, lease: .seconds(4))
      try await store(pool).schedule(SampleJobs.full(), pool: "scheduled", after: .zero)
      try await PostgresDeadLetterIndex(pool: pool).record([
        SampleJobs.letter(SampleJobs.full(), SampleJobs.deadLetterInfo(pool: "dead"))
      ])
      // A job that was made some days ago.
      try await enqueue([SampleJobs.full()], pool, cause: JobID(UUID.version7(at: Date() - 9.5 * 86_400)))
      let knownPools = try await BacklogSnapshot.read(pool).knownPools
      #expect(knownPools.isSuperset(of: ["set", "forgotten", "run", "scheduled", "dead", "cause", "one"]))
    }
  }

  @Test func `one busy pool does not hide the others, however many receipts it has`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let now = Date()
      func receipts(_ count: Int, of name: String, at instant: Date) async throws {
        let ids = (0..<count).map { _ in UUID.version7(at: instant) }
        try await pool.query(
          """
          INSERT INTO jobs.receipt (job_id, run, outcome, kind, pool)
          SELECT id, 1, 'completed', 'test.kind', \(name) FROM unnest(\(ids)::uuid[]) AS new (id)
          """)
      }
      // Just after an instant that the sample begins at.
      try await receipts(3, of: "rare", at: now - 20 * 86_400 + 1)
      try await receipts(20_000, of: "busy", at: now - 600)
      #expect(try await BacklogSnapshot.read(pool, now: now).knownPools == ["rare", "busy"])
    }
  }

  // MARK: Given to other pools

  @Test func `jobs of the right kinds are given to another pool, and that is written down`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let (full, bare, later) = (SampleJobs.full(), SampleJobs.bare(), SampleJobs.full())
      try await enqueue([full, bare], pool)
      try await store(pool).schedule(later, pool: "one", after: .seconds(60))
      let move = PostgresRerouter(pool: pool, by: "Ágnes")
      #expect(try await move.rerouteJobs(from: "one", to: "two", kinds: ["test.full"]) == 2)
      #expect(try await move.rerouteJobs(from: "one", to: "two", kinds: ["test.full"]) == 0)
      let backlog = try await BacklogSnapshot.read(pool)
      #expect(backlog.outbox.map(\.pool) == ["one", "two"])
      #expect(backlog.scheduled.map(\.pool) == ["two"])
      let entries = Locked<[OutboxEntry]>([])
      _ = try await store(pool).relayOutbox(olderThan: .zero, limit: 10) { found in
        entries.change { $0 = found }
        return found.map(\.envelope.jobRun)
      }
      #expect(entries.value.first { $0.pool == "two" }?.envelope == full.asCounted)
      #expect(entries.value.first { $0.pool == "one" }?.envelope == bare.asCounted)
      let audit = try await pool.query("SELECT who, before, after FROM jobs.audit WHERE action = 'pool.move'")
      #expect(audit.count == 2)
      #expect(try audit.allSatisfy { try $0.decode(0, as: String.self) == "Ágnes" })
      #expect(try audit.allSatisfy { try $0.decode(2, as: String.self) == "two" })
    }
  }

  @Test func `more jobs than fit into one transaction are all moved`() async throws {
    try await withTestDatabase { pool, _ async throws in
      try await enqueue((0..<2_100).map { _ in SampleJobs.bare() }, pool)
      let move = PostgresRerouter(pool: pool, by: "test")
      #expect(try await move.rerouteJobs(from: "one", to: "two", kinds: ["test.bare"]) == 2_100)
      let moved = BacklogSnapshot.PendingJobs(pool: "two", kind: "test.bare", count: 2_100, overdue: 0)
      #expect(try await BacklogSnapshot.read(pool).outbox == [moved])
      #expect(try await move.rerouteJobs(from: "two", to: "two", kinds: ["test.bare"]) == 0)
    }
  }

  @Test func `a retried letter runs in the pool it was given to`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      let (letter, other) = (SampleJobs.full(), SampleJobs.bare())
      try await index.record([letter, other].map { SampleJobs.letter($0, SampleJobs.deadLetterInfo(pool: "one")) })
      let move = PostgresRerouter(pool: pool, by: "test")
      #expect(try await move.rerouteDeadLetters(from: "one", to: "two", kinds: ["test.full"]) == 1)
      #expect(try await index.retry(DeadLetterFilter(pool: "two"), by: "test").retried == 1)
      #expect(try await BacklogSnapshot.read(pool).outbox.map(\.pool) == ["two"])
      #expect(try await move.rerouteDeadLetters(from: "one", to: "two", kinds: nil) == 1)
      #expect(try await index.letters(DeadLetterFilter()).map(\.deadLetterInfo.pool) == ["two"])
    }
  }
}
