import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// Jobs with large bodies are read in pages that are bounded in bytes.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct BodyPageTests {
  private func large(_ mebibytes: Int) -> JobEnvelope {
    JobEnvelope(kind: "test.large", body: Data(count: mebibytes << 20))
  }

  private func total(_ entries: [OutboxEntry]) -> Int { entries.reduce(0) { $0 + $1.envelope.body.count } >> 20 }

  @Test func `a relay hands over no more than 32 MiB at a time, and a larger body alone`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      let jobs = [10, 10, 10, 10, 40, 1].map { large($0) }
      for job in jobs {
        let receipt = JobReceipt(jobRun: JobRun(id: JobID()), kind: "test.cause", pool: "one")
        _ = try await store.complete([receipt], deadline: .now + .seconds(10)) { _, _ in
          Completion(followUps: [RoutedFollowUp(envelope: job, pool: "one", dueAt: nil)])
        }
      }
      let pages = Locked<[Int]>([])
      for _ in 0..<4 {
        _ = try await store.relayOutbox(olderThan: .zero, limit: 500) { entries in
          pages.change { $0.append(entries.reduce(0) { $0 + $1.envelope.body.count } >> 20) }
          return entries.map(\.envelope.jobRun)
        }
      }
      #expect(pages.value == [30, 10, 40, 1])
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox").isEmpty)
    }
  }

  @Test func `due jobs are released no more than 32 MiB at a time, and a larger body alone`() async throws {
    try await withTestDatabase { pool, _ async throws in
      let store = PostgresJobStore(pool: pool)
      for (place, size) in [12, 12, 12, 40, 2].enumerated() {
        try await store.schedule(large(size), pool: "one", after: .seconds(place - 100))
      }
      var pages: [Int] = []
      for _ in 0..<5 { pages.append(total(try await store.releaseDueJobs(limit: 500))) }
      #expect(pages == [24, 12, 40, 2, 0])
      #expect(try await pool.query("SELECT 1 FROM jobs.outbox").count == 5)
    }
  }
}
