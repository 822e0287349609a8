import HTTPTypes
import Postgres
import TestServers
import Testing

@testable import HTTP

struct StoreReadsTests {
  private func pool() throws -> PostgresConnectionPool {
    PostgresConnectionPool(try PostgresConfiguration(url: "postgres://x:y@127.0.0.1:1/z"), size: 2)
  }

  @Test func `reads beyond the bound are refused at once, and those that wait for a connection at their deadline`()
    async throws
  {
    let reads = StoreReads(try pool(), connections: 1, max: 3, timeout: .milliseconds(500))
    let running = Locked(0)
    let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status?.self) { group in
      for _ in 0..<10 {
        group.addTask {
          do {
            try await reads.run("x") { _, deadline in
              running.change { $0 += 1 }
              try await Task.sleep(until: deadline + .seconds(1))
            }
            return nil
          } catch let problem as Problem { return problem.status }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    // One had the connection; two waited for it in vain; seven found no place.
    #expect(running.value == 1)
    #expect(statuses.filter { $0 == nil }.count == 1)
    #expect(statuses.filter { $0 == .serviceUnavailable }.count == 9)
    // All places are free again.
    #expect(try await reads.run("x") { _, _ in 5 } == 5)
  }

  @Test func `a problem passes, and any other error is a 503`() async throws {
    struct Broken: Error {}
    let reads = StoreReads(try pool(), connections: 1, max: 3)
    let problem = await #expect(throws: Problem.self) {
      try await reads.run("x") { _, _ in throw Problem(.notFound, "y") }
    }
    #expect(problem?.status == .notFound)
    let failure = await #expect(throws: Problem.self) { try await reads.run("x") { _, _ in throw Broken() } }
    #expect(failure?.status == .serviceUnavailable)
  }
}
