import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// Unparking among many parked jobs.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct UnparkTests {
  /// Parks jobs of a kind in pool `one`.
  private func park(_ count: Int, _ kind: String, _ pool: PostgresConnectionPool) async throws {
    try await pool.query(
      """
      INSERT INTO jobs.scheduled (job_id, run, due_at, pool, envelope, body, parked)
      SELECT gen_random_uuid(), 1, now() + interval '6 hours', 'one', jsonb_build_object('kind', \(kind)::text), '', true
      FROM generate_series(1, \(count))
      """)
  }

  @Test func `of a kind that stays paused no row is read`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      try await park(30_000, "test.paused", pool)
      try await park(5, "test.resumed", pool)
      try await pool.query("ANALYZE jobs.scheduled")
      #expect(try await store.unpark(pool: "one", except: ["test.paused"], limit: 1_000) == 5)
      #expect(try await store.unpark(pool: "one", except: ["test.paused"], limit: 1_000) == 0)
      try await eventually("the server has counted the rows that were read") {
        try await pool.query("SELECT pg_stat_force_next_flush()::text")
        let row = try await pool.query(
          "SELECT seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'scheduled'")[0]
        return try row.decode(1, as: Int.self) > 0
      }
      let read: Int = try await pool.query(
        "SELECT coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'scheduled'")[0].decode(0)
      #expect(read < 1_000, "\(read) rows were read")
    }
  }

  @Test func `what was unparked stays so, page by page, and one node does it at a time`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      try await park(25, "test.resumed", pool)
      #expect(try await store.unpark(pool: "one", except: [], limit: 10) == 10)
      try await pool.withTransaction { transaction in
        try await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended('vluma unpark one', 0))::text")
        #expect(try await store.unpark(pool: "one", except: [], limit: 10) == 0)
      }
      #expect(try await store.unpark(pool: "one", except: [], limit: 10) == 10)
      #expect(try await store.unpark(pool: "one", except: [], limit: 10) == 5)
    }
  }
}
