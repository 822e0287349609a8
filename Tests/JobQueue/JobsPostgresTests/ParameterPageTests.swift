import Foundation
import Jobs
import JobsTesting
import Postgres
import TestServers
import Testing

@testable import JobsPostgres

/// Jobs with large bodies are written in statements that are bounded in bytes.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ParameterPageTests {
  private func large(_ mebibytes: Int) -> JobEnvelope {
    JobEnvelope(kind: "test.large", body: Data(count: mebibytes << 20))
  }

  @Test func `rows are paged in order, and a row that is too large is alone`() {
    let page = ParameterPage.bytesMax
    #expect([Int]().pages { $0 }.isEmpty)
    #expect([1, 2, 3].pages { $0 } == [[1, 2, 3]])
    #expect([page, 1, 2, page * 2, 3].pages { $0 } == [[page], [1, 2], [page * 2], [3]])
    let half = page / 2 - ParameterPage.rowOverhead
    #expect([half, half, 0].pages { $0 } == [[half, half], [0]])
  }

  @Test func `many rows without a body are paged as well`() {
    let rows = Array(repeating: 0, count: 3 * ParameterPage.bytesMax / ParameterPage.rowOverhead)
    #expect(rows.pages { $0 }.count == 3)
  }

  @Test func `a completion with more follow-ups than one statement takes is committed as one`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.cause", pool: "one")
      let completion = try await store.complete([receipt], deadline: .now + .seconds(60)) { _, _ in
        var completion = Completion()
        completion.followUps = (0..<8).map { number in
          RoutedFollowUp(
            envelope: large(15), pool: "one", dueAt: number % 2 == 0 ? nil : Date().addingTimeInterval(600))
        }
        return completion
      }
      #expect(completion?.outboxEntries.count == 4)
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox WHERE octet_length(body) = 15 << 20").count == 4)
      #expect(try await pool.query("SELECT 1 FROM jobs.scheduled WHERE octet_length(body) = 15 << 20").count == 4)
      #expect(try await store.sweepAccepted(thoroughly: true)["one"]?.accepted == 9)
    }
  }

  @Test func `jobs of a caller's transaction, accepted jobs and letters are paged`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let jobs = (0..<20).map { _ in large(4) }
      try await pool.withTransaction(deadline: .now + .seconds(60)) { transaction in
        try await store.enqueue(jobs.map { OutboxEntry(envelope: $0, pool: "one") }, in: transaction)
      }
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox").count == 20)
      let accepted = (0..<5).map { _ in AcceptedJob(large(15), pool: "one") }
      #expect(try await store.recordAccepted(accepted) == 5)
      #expect(try await store.recordAccepted(accepted) == 0)
      let letters = (0..<5).map { _ in SampleJobs.letter(large(15), SampleJobs.deadLetterInfo(pool: "one")) }
      try await PostgresDeadLetterIndex(pool: pool).record(letters)
      #expect(try await pool.query("SELECT 1 FROM jobs.dead_letter").count == 5)
    }
  }
}
