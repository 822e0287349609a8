import JobConfiguration
import Jobs
import JobsRabbitMQ
import JobsTesting
import RabbitMQ
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct TopologyTests {
  /// What is the configuration's own, as plans name it.
  private func ownNames(_ configuration: JobConfiguration) -> Set<String> {
    let pools = configuration.pools.flatMap { ["queue \($0.name)", "queue \(Topology.deadQueue(of: $0.name))"] }
    let tiers = configuration.retryTiers.map(Topology.retryName).flatMap { ["exchange \($0)", "queue \($0)"] }
    return Set(pools + tiers)
  }

  private func plan(_ configuration: JobConfiguration) async throws -> TopologyPlan {
    try await RabbitMQAdministration.with(rabbitMQ()) { try await Topology(configuration).plan($0) }
  }

  @discardableResult
  private func apply(_ configuration: JobConfiguration) async throws -> TopologyPlan {
    try await RabbitMQAdministration.with(rabbitMQ()) { try await Topology(configuration).apply($0) }
  }

  @Test func `a plan lists what is missing and makes nothing`() async throws {
    try await withConfiguration { configuration async throws in
      let own = ownNames(configuration)
      for _ in 0..<2 {
        let plan = try await plan(configuration)
        #expect(own.isSubset(of: plan.missing))
        #expect(own.isDisjoint(with: plan.present))
        #expect(plan.different.isEmpty)
      }
    }
  }

  @Test func `applying makes what is missing, and applying again changes nothing`() async throws {
    try await withConfiguration { configuration async throws in
      let first = try await apply(configuration)
      #expect(ownNames(configuration).isSubset(of: first.missing))
      let job = OutgoingJob(SampleJobs.full(), to: .pool(configuration.pools[0].name))
      let outcomes = try await withBroker { await $0.enqueue([job], deadline: .now + .seconds(20)) }
      #expect(outcomes == [.enqueued])
      let second = try await apply(configuration)
      let topology = Topology(configuration)
      #expect(second.missing.isEmpty)
      #expect(second.different.isEmpty)
      #expect(second.present.count == topology.exchanges.count + topology.queues.count)
      try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
        let name = configuration.pools[0].name.rawValue
        try await eventually("the job still waits") { try await administration.queueDepth(name)?.messages == 1 }
      }
    }
  }

  @Test func `ten who apply at once do no harm`() async throws {
    try await withConfiguration { configuration async throws in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<10 { group.addTask { try await apply(configuration) } }
        try await group.waitForAll()
      }
      let plan = try await plan(configuration)
      #expect(plan.missing.isEmpty)
      #expect(plan.different.isEmpty)
    }
  }

  @Test func `a queue with other arguments is named, and nothing is changed`() async throws {
    try await withConfiguration { configuration async throws in
      let name = configuration.pools[1].name.rawValue
      try await RabbitMQAdministration.with(rabbitMQ()) {
        try await $0.declareQueue(name, arguments: ["x-queue-type": .string("quorum"), "x-max-length": .integer(5)])
      }
      let mismatch = await #expect(throws: TopologyMismatch.self) { try await apply(configuration) }
      #expect(mismatch?.differences.map(\.name) == ["queue \(name)"])
      #expect(mismatch?.differences.allSatisfy { !$0.detail.isEmpty } == true)
      #expect(mismatch?.description.contains(name) == true)
      let plan = try await plan(configuration)
      #expect(ownNames(configuration).subtracting(["queue \(name)"]).isSubset(of: plan.missing))
      #expect(plan.different.map(\.name) == ["queue \(name)"])
    }
  }

  @Test func `an exchange of another type is named, and nothing is changed`() async throws {
    try await withConfiguration { configuration async throws in
      let name = Topology.retryName(configuration.retryTiers[0])
      try await RabbitMQAdministration.with(rabbitMQ()) { try await $0.declareExchange(name, type: "direct") }
      let mismatch = await #expect(throws: TopologyMismatch.self) { try await apply(configuration) }
      #expect(mismatch?.differences.map(\.name) == ["exchange \(name)"])
      let plan = try await plan(configuration)
      #expect(ownNames(configuration).subtracting(["exchange \(name)"]).isSubset(of: plan.missing))
    }
  }

  // MARK: Its shape, without a broker

  @Test func `every queue is a quorum queue with an explicit and very high delivery limit`() {
    for queue in Topology(freshConfiguration()).queues {
      #expect(queue.arguments["x-queue-type"] == .string("quorum"))
      #expect((queue.arguments["x-delivery-limit"]?.integer ?? 0) > 1_000_000)
    }
  }

  @Test func `a pool's queue has no length limit and its dead go to the dead letters`() throws {
    let configuration = freshConfiguration()
    let topology = Topology(configuration)
    for pool in configuration.pools {
      let queue = try #require(topology.queues.first { $0.name == pool.name.rawValue })
      #expect(queue.arguments["x-dead-letter-exchange"] == .string("vluma.dead"))
      #expect(queue.arguments.keys.allSatisfy { !$0.hasPrefix("x-max-length") && $0 != "x-overflow" })
      let exchanges = topology.bindings.filter { $0.queue == pool.name.rawValue }
      #expect(Set(exchanges.map(\.exchange)) == ["vluma.jobs", "vluma.return"])
      #expect(exchanges.allSatisfy { $0.routingKey == pool.name.rawValue })
    }
  }

  @Test func `a tier returns its jobs at least once, by their own key, through an exchange of its own`() throws {
    let configuration = freshConfiguration()
    let topology = Topology(configuration)
    let delay = configuration.retryTiers[0]
    let name = Topology.retryName(delay)
    let queue = try #require(topology.queues.first { $0.name == name })
    #expect(queue.arguments["x-message-ttl"] == .integer(Int64(delay / .milliseconds(1))))
    #expect(queue.arguments["x-dead-letter-exchange"] == .string("vluma.return"))
    #expect(queue.arguments["x-dead-letter-strategy"] == .string("at-least-once"))
    #expect(queue.arguments["x-overflow"] == .string("reject-publish"))
    #expect(queue.arguments["x-dead-letter-routing-key"] == nil)
    #expect(topology.exchanges.first { $0.name == name }?.type == "fanout")
    let returning = topology.exchanges.first { $0.name == "vluma.return" }
    #expect(returning?.arguments["alternate-exchange"] == .string("vluma.unroutable"))
  }

  @Test func `the pool of the dead letters has no queue of its own`() {
    var configuration = freshConfiguration()
    configuration.pools.append(
      PoolConfiguration(
        name: JobConfiguration.deadLetterPool, jobs: [], workers: WorkerCounts(min: 1, start: 1, max: 1)))
    let names = Topology(configuration).queues.map(\.name)
    #expect(!names.contains("dead.letters"))
    #expect(!names.contains("dead.letters.dead"))
  }
}
