import Foundation
import JobConfiguration
import Jobs
import Testing

/// The queues.yaml that the repository ships.
struct RepositoryConfigurationTests {
  private func shipped() throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "queues.yaml"), encoding: .utf8)
  }

  private let known =
    batchWorkers("booking.validate", "booking.resolve", "whatsapp.event", "metrics.event")
    + workers("booking.cancel", "booking.reschedule", "booking.confirm", "whatsapp.send_template")

  @Test func `the repository's file has no problems`() throws {
    let file = try shipped()
    #expect(problems(in: file, known).isEmpty)
  }

  @Test func `every kind of the platform has a pool`() throws {
    let configuration = try JobConfiguration(yaml: shipped(), workers: known)
    let routes: [JobKind: PoolName] = [
      "booking.validate": "booking.validate", "booking.resolve": "booking.resolve", "booking.cancel": "booking.resolve",
      "booking.reschedule": "booking.resolve", "booking.confirm": "booking.resolve",
      "whatsapp.send_template": "whatsapp.send", "whatsapp.event": "whatsapp.inbound",
      "metrics.event": "metrics.rollup",
    ]
    let working: [PoolName] = [
      "booking.validate", "booking.resolve", "whatsapp.send", "whatsapp.inbound", "metrics.rollup",
    ]
    #expect(configuration.routes == routes)
    #expect(configuration.pools.map(\.name) == working + ["dead.letters"])
    #expect(configuration.workingPools.map(\.name) == working)
    #expect(configuration.pool("dead.letters")?.jobs == [])
    #expect(configuration.pool("booking.cancel") == nil)
  }

  @Test func `the pools that have batch workers gather batches`() throws {
    let configuration = try JobConfiguration(yaml: shipped(), workers: known)
    let batching = Set(known.filter(\.takesBatches).map(\.kind))
    for pool in configuration.workingPools {
      let gathers = (pool.batch?.size ?? 1) > 1
      #expect(gathers != batching.isDisjoint(with: pool.jobs), "\(pool.name)")
    }
  }

  @Test func `messages are sent no faster than the provider takes them from a number`() throws {
    let configuration = try JobConfiguration(yaml: shipped(), workers: known)
    #expect(configuration.pool("whatsapp.send")?.rate == RateLimit(count: 80, per: .seconds(1)))
    #expect(configuration.workingPools.filter { $0.rate != nil }.map(\.name) == ["whatsapp.send"])
  }

  @Test func `the tiers grow, and no delay is much longer than the last`() throws {
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
