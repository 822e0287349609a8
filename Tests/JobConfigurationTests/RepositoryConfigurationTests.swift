import Foundation
import JobConfiguration
import Jobs
import Testing

/// The queues.yaml that the repository ships.
struct RepositoryConfigurationTests {
  private func shipped() throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "queues.yaml"), encoding: .utf8)
  }

  private let known =
    batchWorkers("booking.validate", "booking.resolve") + workers("booking.cancel", "booking.reschedule")

  @Test func `the repository's file has no problems`() throws {
    let file = try shipped()
    #expect(problems(in: file, known).isEmpty)
  }

  @Test func `every kind of the platform has a pool`() throws {
    let configuration = try JobConfiguration(yaml: shipped(), workers: known)
    let routes: [JobKind: PoolName] = [
      "booking.validate": "booking.validate", "booking.resolve": "booking.resolve", "booking.cancel": "booking.resolve",
      "booking.reschedule": "booking.resolve",
    ]
    #expect(configuration.routes == routes)
    #expect(configuration.pools.map(\.name) == ["booking.validate", "booking.resolve", "dead.letters"])
    #expect(configuration.workingPools.map(\.name) == ["booking.validate", "booking.resolve"])
    #expect(configuration.pool("dead.letters")?.jobs == [])
    #expect(configuration.pool("booking.cancel") == nil)
  }

  @Test func `the pools that have batch workers gather batches`() throws {
    let configuration = try JobConfiguration(yaml: shipped(), workers: known)
    for pool in configuration.workingPools { #expect((pool.batch?.size ?? 0) > 1, "\(pool.name)") }
  }

  @Test func `the tiers grow, and no pause is much longer than the last`() throws {
    let configuration = try JobConfiguration(yaml: shipped(), workers: known)
    #expect(configuration.retryTiers == configuration.retryTiers.sorted())
    let longest = try #require(configuration.retryTiers.last)
    for pool in configuration.pools {
      #expect(pool.retry.max <= longest * 1.5, "\(pool.name)")
      #expect(pool.workers.min <= pool.workers.start && pool.workers.start <= pool.workers.max, "\(pool.name)")
    }
  }

  @Test func `without one of its workers the file says which kind is left`() throws {
    let file = try shipped()
    let found = problems(in: file, known.filter { $0.kind != "booking.cancel" })
    try #require(found.count == 1)
    #expect(found[0].hasSuffix(#"job kind "booking.cancel" has no worker"#))
  }
}
