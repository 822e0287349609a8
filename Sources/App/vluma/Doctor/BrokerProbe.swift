import JobConfiguration
import JobOperations
import Jobs
import JobsRabbitMQ
import RabbitMQ

/// Asks the message broker.
struct BrokerProbe: Sendable {
  let configuration: RabbitMQConfiguration

  /// Pools that are not in queues.yaml; more are not asked for, lest it take long.
  private static let unknownPoolsMax = 200

  /// Compares the broker with queues.yaml, where that can be read, and counts what waits.
  ///
  /// - Parameter knownPools: pools that queues.yaml may no longer have; AMQP cannot list queues.
  func collect(_ file: JobConfiguration?, knownPools: Set<PoolName>) async throws -> SystemSnapshot.Broker {
    let server = configuration.serverName
    return try await RabbitMQAdministration.with(configuration, name: "vluma doctor") {
      broker -> SystemSnapshot.Broker in
      var snapshot = SystemSnapshot.Broker(server: server)
      snapshot.unroutable = try await broker.queueDepth(Topology.unroutable)?.messages
      guard let file else { return snapshot }
      let plan = try await Topology(file).plan(broker)
      snapshot.missing = plan.missing
      snapshot.different = plan.different.map { SystemSnapshot.Broker.Difference(name: $0.name, detail: $0.detail) }
      for pool in file.workingPools.map(\.name) + Self.unknownPools(knownPools, file) {
        snapshot.ready[pool] = try await broker.queueDepth(pool.rawValue)?.messages
        snapshot.deadLetters[pool] = try await broker.queueDepth(Topology.deadQueue(of: pool))?.messages
      }
      return snapshot
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

  private static func unknownPools(_ knownPools: Set<PoolName>, _ file: JobConfiguration) -> [PoolName] {
    let known = Set(file.pools.map(\.name))
    // A name in AMQP has 255 bytes at most, and none at all would mean another queue.
    let unknownPools = knownPools.filter {
      !known.contains($0) && !$0.rawValue.isEmpty && Topology.deadQueue(of: $0).utf8.count <= 255
    }
    return Array(unknownPools.sorted().prefix(unknownPoolsMax))
  }
}
