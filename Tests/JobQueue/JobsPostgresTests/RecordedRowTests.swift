import Foundation
import Jobs
import JobsPostgres
import Postgres
import TestServers
import Testing

/// Rows of the store as version 1 of the program writes them: other versions read what it has left, and it reads
/// theirs.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct RecordedRowTests {
  /// A row's envelope as PostgreSQL shows it, and the job it is.
  private struct Recorded {
    let text: String
    let envelope: JobEnvelope
  }

  /// With every field there is.
  private func full() throws -> Recorded {
    let text = """
      {"id": "01A2099C-26EA-7444-8444-4444444444DD", "run": 2, "kind": "booking.reschedule", \
      "tenant": "5B1F0C9E-3A52-4C6F-9D0E-1A2B3C4D5E6F", "attempt": 3, "deadline": 817153958, \
      "enqueued_at": 817150358.25, "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", \
      "correlation_id": "request 7", "schema_version": 1}
      """
    let envelope = JobEnvelope(
      id: try #require(JobID("01a2099c-26ea-7444-8444-4444444444dd")), run: 2, kind: "booking.reschedule",
      tenant: UUID(uuidString: "5b1f0c9e-3a52-4c6f-9d0e-1a2b3c4d5e6f"), attempt: 3,
      enqueuedAt: Date(timeIntervalSince1970: 1_795_457_558.25), deadline: Date(timeIntervalSince1970: 1_795_461_158),
      correlationID: "request 7", traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      body: Data([0, 255, 34]) + Data(#"{"a":"é"}"#.utf8))
    return Recorded(text: text, envelope: envelope)
  }

  /// With no field that may be left out.
  private func bare() throws -> Recorded {
    let text = """
      {"id": "01A2099C-2AD2-7888-8888-888888888811", "run": 1, "kind": "metrics.event", "attempt": 1, \
      "enqueued_at": 817150359, "schema_version": 1}
      """
    let envelope = JobEnvelope(
      id: try #require(JobID("01a2099c-2ad2-7888-8888-888888888811")), kind: "metrics.event",
      enqueuedAt: Date(timeIntervalSince1970: 1_795_457_559), body: Data())
    return Recorded(text: text, envelope: envelope)
  }

  private func insert(
    _ recorded: Recorded, with more: String = "{}", into table: String, _ pool: PostgresConnectionPool
  )
    async throws
  {
    let job = recorded.envelope.jobRun
    let column = table == "scheduled" ? "due_at" : "at"
    try await pool.query(
      """
      INSERT INTO jobs.\(unsafe: table) (job_id, run, pool, envelope, body, \(unsafe: column))
      VALUES (\(job.id.uuid), \(job.run), 'one', \(recorded.text)::jsonb || \(more)::jsonb, \(recorded.envelope.body),
              now() - interval '1 minute')
      """)
  }

  @Test(arguments: ["{}", #"{"of_tomorrow": {"numbers": [1, 2.5]}}"#])
  func `rows of the outbox are read, with fields of tomorrow or without`(_ more: String) async throws {
    for recorded in [try full(), try bare()] {
      try await withTestDatabase { pool, _ async throws in
        try await insert(recorded, with: more, into: "outbox", pool)
        let entries = Locked<[OutboxEntry]>([])
        _ = try await PostgresJobStore(pool: pool).relayOutbox(olderThan: .zero, limit: 10) { found in
          entries.change { $0 = found }
          return found.map(\.envelope.jobRun)
        }
        #expect(entries.value.map(\.envelope) == [recorded.envelope])
        #expect(entries.value.map(\.pool) == ["one"])
      }
    }
  }

  @Test(arguments: ["{}", #"{"of_tomorrow": {"numbers": [1, 2.5]}}"#])
  func `scheduled rows are read, with fields of tomorrow or without`(_ more: String) async throws {
    for recorded in [try full(), try bare()] {
      try await withTestDatabase { pool, _ async throws in
        try await insert(recorded, with: more, into: "scheduled", pool)
        let due = try await PostgresJobStore(pool: pool).releaseDueJobs(limit: 10)
        #expect(due.map(\.envelope) == [recorded.envelope])
        #expect(due.map(\.pool) == ["one"])
      }
    }
  }

  @Test func `today's program writes rows with all that was recorded`() async throws {
    for recorded in [try full(), try bare()] {
      try await withTestDatabase { pool, _ async throws in
        let store = PostgresJobStore(pool: pool)
        let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.cause", pool: "one")
        _ = try await store.complete([receipt], deadline: .now + .seconds(10)) { _, _ in
          var completion = Completion()
          completion.followUps = [RoutedFollowUp(envelope: recorded.envelope, pool: "one", dueAt: nil)]
          return completion
        }
        try await store.schedule(recorded.envelope, pool: "one", after: .seconds(60))
        for table in ["outbox", "scheduled"] {
          let row = try await pool.query(
            "SELECT envelope @> \(recorded.text)::jsonb, body, envelope::text FROM jobs.\(unsafe: table)")[0]
          let (isWhole, text) = (try row.decode(0, as: Bool.self), try row.decode(2, as: String.self))
          #expect(isWhole, "\(text)")
          #expect(try row.decode(1, as: Data.self) == recorded.envelope.body)
        }
      }
    }
  }
}
