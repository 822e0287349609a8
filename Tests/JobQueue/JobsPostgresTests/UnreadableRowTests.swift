import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Logging
import Postgres
import TestServers
import Testing

/// Rows whose envelope cannot be read hold up no other job, and are seen.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct UnreadableRowTests {
  private struct LineCollector: LogHandler {
    let lines: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.change { $0.append("\(event.message) \(event.metadata ?? [:])") } }
  }

  /// What a row's envelope may have become, each as JSON that is merged into a sound one, or replaces it.
  private static let corruptions = [
    "[]", "null", #"{"id": "secret-text"}"#, #"{"run": "secret-text"}"#, #"{"enqueued_at": null}"#,
    #"{"counted": "secret-text"}"#, #"{"id": "01A2099C-26EA-7444-8444-4444444444DD"}"#, #"{"run": 7}"#,
  ]

  /// Puts a row into the table whose envelope is corrupt; nil: it is sound.
  private func insert(_ corruption: String?, into table: String, _ pool: PostgresConnectionPool) async throws -> JobRun
  {
    let job = SampleJobs.bare()
    let sound = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
    let at = table == "scheduled" ? "due_at" : "at"
    try await pool.query(
      """
      INSERT INTO jobs.\(unsafe: table) (job_id, run, pool, envelope, body, \(unsafe: at))
      SELECT \(job.id.uuid), \(job.run), 'one',
        CASE jsonb_typeof(more) WHEN 'object' THEN \(sound)::jsonb || more ELSE more END, 'body',
        clock_timestamp() - interval '2 minutes'
      FROM (SELECT \(corruption ?? "{}")::jsonb AS more) AS corruption
      """)
    return job.jobRun
  }

  /// Puts a sound row before, between and after corrupt ones.
  private func fill(
    _ table: String, _ pool: PostgresConnectionPool
  ) async throws -> (sound: [JobRun], corrupt: [JobRun]) {
    var (sound, corrupt): ([JobRun], [JobRun]) = ([], [])
    for corruption in Self.corruptions {
      sound.append(try await insert(nil, into: table, pool))
      corrupt.append(try await insert(corruption, into: table, pool))
    }
    sound.append(try await insert(nil, into: table, pool))
    return (sound, corrupt)
  }

  @Test func `a relay hands over the others, and postpones and names what it cannot read`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let lines = Locked<[String]>([])
      let store = PostgresJobStore(pool: pool, logger: Logger(label: "test") { _ in LineCollector(lines: lines) })
      let (sound, corrupt) = try await fill("outbox", pool)
      for round in 0..<3 {
        let entries = Locked<[OutboxEntry]>([])
        let published = try await store.relayOutbox(olderThan: .zero, limit: 100) { found in
          entries.change { $0 = found }
          return found.map(\.envelope.jobRun)
        }
        #expect(published == (round == 0 ? sound.count : 0))
        #expect(entries.value.map(\.envelope.jobRun) == (round == 0 ? sound : []))
      }
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox WHERE tried_at IS NOT NULL").count == corrupt.count)
      // One line for all rounds.
      #expect(lines.value.count == 1)
      let line = try #require(lines.value.first)
      #expect(line.contains("cannot be read"))
      for job in corrupt { #expect(line.contains("\(job)")) }
      #expect(!line.contains("secret-text"))
      let backlog = try await BacklogSnapshot.read(pool)
      #expect(backlog.outbox.reduce(0) { $0 + $1.overdue } == corrupt.count)
    }
  }

  @Test func `a page of rows that cannot be read makes room for the jobs behind it`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      for _ in 0..<4 { _ = try await insert("[]", into: "outbox", pool) }
      let sound = try await insert(nil, into: "outbox", pool)
      let found = Locked<[JobRun]>([])
      for _ in 0..<3 {
        _ = try await store.relayOutbox(olderThan: .seconds(1), limit: 2) { entries in
          found.change { $0 += entries.map(\.envelope.jobRun) }
          return entries.map(\.envelope.jobRun)
        }
      }
      #expect(found.value == [sound])
    }
  }

  @Test func `due jobs are released beside those that cannot be read, which are left to the relay`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let lines = Locked<[String]>([])
      let store = PostgresJobStore(pool: pool, logger: Logger(label: "test") { _ in LineCollector(lines: lines) })
      let (sound, corrupt) = try await fill("scheduled", pool)
      let due = try await store.releaseDueJobs(limit: 100)
      #expect(Set(due.map(\.envelope.jobRun)) == Set(sound))
      #expect(lines.value.count == 1)
      #expect(try await pool.query("SELECT 1 FROM jobs.scheduled").isEmpty)
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox").count == sound.count + corrupt.count)
    }
  }

  @Test func `missing jobs that are enqueued again reach the relay, whatever their envelopes`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let (sound, corrupt) = try await fill("outbox", pool)
      try await pool.query(
        """
        WITH gone AS (DELETE FROM jobs.outbox RETURNING job_id, run, pool, envelope, body)
        INSERT INTO jobs.accepted (job_id, run, pool, envelope, body, counts) SELECT *, false FROM gone
        """)
      let missing = PostgresMissingJobs(pool: pool, by: "test")
      #expect(try await missing.records(of: "one", before: nil, limit: 100).count == sound.count + corrupt.count)
      #expect(try await missing.enqueue("one", before: nil) == sound.count + corrupt.count)
      let found = Locked<[JobRun]>([])
      _ = try await store.relayOutbox(olderThan: .zero, limit: 100) { entries in
        found.change { $0 = entries.map(\.envelope.jobRun) }
        return found.value
      }
      #expect(Set(found.value) == Set(sound))
    }
  }

  @Test func `jobs are moved to another pool whatever their envelopes`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let job = try await insert(#"{"counted": "secret-text"}"#, into: "outbox", pool)
      let moved = try await PostgresRerouter(pool: pool, by: "test")
        .rerouteJobs(from: "one", to: "two", kinds: [SampleJobs.bare().kind])
      #expect(moved == 1)
      #expect(
        try await pool.query("SELECT 1 FROM jobs.outbox WHERE pool = 'two' AND job_id = \(job.id.uuid)").count == 1)
    }
  }

  @Test func `a letter whose envelope cannot be read hides no other`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let index = PostgresDeadLetterIndex(pool: pool)
      let letters = (0..<2).map { _ in SampleJobs.letter(SampleJobs.bare(), SampleJobs.deadLetterInfo(pool: "one")) }
      try await index.record(letters)
      try await pool.query(
        "UPDATE jobs.dead_letter SET envelope = '[]' WHERE job_id = \(letters[0].jobRun.id.uuid)")
      let read = try await index.letters(DeadLetterFilter())
      #expect(Set(read.map(\.jobRun)) == Set(letters.map(\.jobRun)))
      #expect(read.filter { $0.envelope == nil }.map(\.jobRun) == [letters[0].jobRun])
    }
  }
}
