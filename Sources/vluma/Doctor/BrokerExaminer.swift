import JobConfiguration
import Jobs
import JobsRabbitMQ
import Operations
import RabbitMQ

/// Asks the message broker.
struct BrokerExaminer: Sendable {
  let configuration: RabbitMQConfiguration

  /// Pools that are not in queues.yaml; more are not asked for, lest it take long.
  private static let strangersMax = 200

  /// Compares the broker with queues.yaml, where that can be read, and counts what waits.
  ///
  /// - Parameter remembered: pools that queues.yaml may no longer have; AMQP cannot list queues.
  func examine(_ file: JobConfiguration?, remembered: Set<PoolName>) async throws -> Examination.Broker {
    let server = configuration.serverName
    return try await RabbitMQAdministration.with(configuration, name: "vluma doctor") { broker -> Examination.Broker in
      var seen = Examination.Broker(server: server)
      seen.unroutable = try await broker.queueDepth(Topology.unroutable)?.messages
      guard let file else { return seen }
      let plan = try await Topology(file).plan(broker)
      seen.missing = plan.missing
      seen.different = plan.different.map { Examination.Broker.Difference(name: $0.name, detail: $0.detail) }
      for pool in file.workingPools.map(\.name) + Self.strangers(remembered, file) {
        seen.ready[pool] = try await broker.queueDepth(pool.rawValue)?.messages
        seen.letters[pool] = try await broker.queueDepth(Topology.deadQueue(of: pool))?.messages
      }
      return seen
    }
  }

  /// How many jobs wait in these pools; those without a queue are left out.
  func ready(in pools: [PoolName]) async throws -> [PoolName: Int] {
    try await RabbitMQAdministration.with(configuration, name: "vluma doctor") { broker -> [PoolName: Int] in
      var ready: [PoolName: Int] = [:]
      for pool in pools { ready[pool] = try await broker.queueDepth(pool.rawValue)?.messages }
      return ready
    }
  }

  private static func strangers(_ remembered: Set<PoolName>, _ file: JobConfiguration) -> [PoolName] {
    let known = Set(file.pools.map(\.name))
    // A name in AMQP has 255 bytes at most, and none at all would mean another queue.
    let strangers = remembered.filter {
      !known.contains($0) && !$0.rawValue.isEmpty && Topology.deadQueue(of: $0).utf8.count <= 255
    }
    return Array(strangers.sorted().prefix(strangersMax))
  }
}
