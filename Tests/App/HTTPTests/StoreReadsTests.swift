import ClientLoop
import HTTPTypes
import Postgres
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
    let (begun, release) = (Promise<Void>(), Promise<Void>())
    async let first = reads.run("x") { _, _ in
      begun.resolve()
      try await release.wait()
    }
    try await begun.wait()
    // One has the connection; two wait for it in vain; seven find no place.
    let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status?.self) { group in
      for _ in 0..<9 {
        group.addTask {
          do { try await reads.run("x") { _, _ in } } catch let problem as Problem { return problem.status }
          return nil
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses == Array(repeating: .serviceUnavailable, count: 9))
    release.resolve()
    try await first
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
