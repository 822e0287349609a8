import JobConfiguration
import JobOperations
import Jobs
import JobsRabbitMQ
import RabbitMQ

/// Reads the state of the message broker for the doctor.
struct BrokerProbe: Sendable {
  let configuration: RabbitMQConfiguration

  /// The most pools outside queues.yaml that are checked, to bound the time it takes.
  private static let unknownPoolsMax = 200

  /// Compares the broker with queues.yaml, where that can be read, and counts queued jobs.
  ///
  /// - Parameter knownPools: pools that queues.yaml may no longer have; AMQP cannot list queues.
  func collect(_ file: JobConfiguration?, knownPools: Set<PoolName>) async throws -> SystemSnapshot.Broker {
    let server = configuration.serverName
    return try await RabbitMQAdministration.with(configuration, name: "vluma doctor") {
      broker -> SystemSnapshot.Broker in
      var snapshot = SystemSnapshot.Broker(server: server)
      snapshot.unroutable = try await broker.queueDepth(Topology.unroutable)?.messages
      guard let file else { return snapshot }
      snapshot.plan = try await Topology(file).plan(broker)
      for pool in file.workingPools.map(\.name) + Self.unknownPools(knownPools, file) {
        snapshot.queued[pool] = try await broker.queueDepth(pool.rawValue)?.messages
        snapshot.deadLetters[pool] = try await broker.queueDepth(Topology.deadQueue(of: pool))?.messages
      }
      return snapshot
    }
  }

  /// Jobs queued in these pools; pools without a queue are left out.
  func ready(in pools: [PoolName]) async throws -> [PoolName: Int] {
    try await RabbitMQAdministration.with(configuration, name: "vluma doctor") { broker -> [PoolName: Int] in
      var ready: [PoolName: Int] = [:]
      for pool in pools { ready[pool] = try await broker.queueDepth(pool.rawValue)?.messages }
      return ready
    }
  }

  private static func unknownPools(_ knownPools: Set<PoolName>, _ file: JobConfiguration) -> [PoolName] {
    let known = Set(file.pools.map(\.name))
    // AMQP allows 255 bytes; an empty name means the last declared queue.
    let unknownPools = knownPools.filter {
      !known.contains($0) && !$0.rawValue.isEmpty && Topology.deadQueue(of: $0).utf8.count <= 255
    }
    return Array(unknownPools.sorted().prefix(unknownPoolsMax))
  }
}
