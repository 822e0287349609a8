import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// Enqueueing with a transaction of the caller's own.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct OutboxEnqueueTests {
  private struct Failed: Error {}

  /// What a relay publishes.
  private func relayed(_ store: PostgresJobStore) async throws -> [OutboxEntry] {
    let published = Locked<[OutboxEntry]>([])
    _ = try await store.relayOutbox(olderThan: .zero, limit: 10) { entries in
      published.change { $0 += entries }
      return entries.map(\.envelope.jobRun)
    }
    return published.value
  }

  @Test func `jobs are enqueued when the transaction commits, with its other effects`() async throws {
    try await withTestDatabase(migrations: [effectTable]) { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let (full, bare) = (SampleJobs.full(), SampleJobs.bare())
      try await pool.withTransaction { transaction in
        try await transaction.query("INSERT INTO effect (name) VALUES ('kept')")
        try await store.enqueue(
          [OutboxEntry(envelope: full, pool: "one"), OutboxEntry(envelope: bare, pool: "two")], in: transaction)
      }
      let entries = try await relayed(store).sorted { $0.pool < $1.pool }
      #expect(entries.map(\.pool) == ["one", "two"])
      #expect(entries.map(\.envelope) == [full, bare].map(\.asCounted))
      #expect(try await relayed(store).isEmpty)
    }
  }

  @Test func `a transaction that rolls back enqueues nothing`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      await #expect(throws: Failed.self) {
        try await pool.withTransaction { transaction in
          try await store.enqueue([OutboxEntry(envelope: SampleJobs.full(), pool: "one")], in: transaction)
          throw Failed()
        }
      }
      #expect(try await relayed(store).isEmpty)
    }
  }

  @Test func `a run that is in the outbox already is enqueued once`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let entry = OutboxEntry(envelope: SampleJobs.full(), pool: "one")
      for _ in 0..<2 {
        try await pool.withTransaction { try await store.enqueue([entry, entry], in: $0) }
      }
      #expect(try await relayed(store).map(\.envelope) == [entry.envelope.asCounted])
    }
  }

  @Test func `no entries are no statement`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      try await pool.withTransaction { try await store.enqueue([], in: $0) }
      #expect(try await relayed(store).isEmpty)
    }
  }

  @Test func `a job that is too large for its executor is refused, and the transaction with it`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let large = JobEnvelope(kind: "test.large", body: Data(count: JobCodec.maxBodyBytes + 1))
      let error = await #expect(throws: JobTooLarge.self) {
        try await pool.withTransaction { transaction in
          try await store.enqueue([OutboxEntry(envelope: SampleJobs.bare(), pool: "one")], in: transaction)
          try await store.enqueue([OutboxEntry(envelope: large, pool: "one")], in: transaction)
        }
      }
      #expect(error?.kind == "test.large")
      #expect(error?.bytes == JobCodec.maxBodyBytes + 1)
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox").isEmpty)
    }
  }
}
