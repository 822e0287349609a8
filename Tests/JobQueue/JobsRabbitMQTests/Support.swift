import Foundation
import JobConfiguration
import Jobs
import JobsRabbitMQ
import Logging
import RabbitMQ
import Synchronization
import TestServers

let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The real server.
func rabbitMQ() throws -> RabbitMQConfiguration { try RabbitMQConfiguration(url: TestEnvironment.rabbitMQ().string) }

/// Delays that no configuration in use has, one for each test: a tier's queue belongs to all configurations that name
/// its delay.
private let lastDelay = Mutex(Int.random(in: 301...500))

/// A configuration of two pools and one short tier that no other test uses.
func freshConfiguration() -> JobConfiguration {
  let delay = lastDelay.withLock { last in
    last += 1
    return last
  }
  let pools = (1...2).map { number in
    PoolConfiguration(
      name: PoolName(rawValue: TestEnvironment.uniqueName("test")), jobs: [JobKind(rawValue: "test.kind\(number)")],
      workers: WorkerCounts(min: 1, start: 1, max: 1))
  }
  return JobConfiguration(retryTiers: [.milliseconds(delay)], pools: pools)
}

/// Lends a configuration and removes afterwards what of its topology is its own; the exchanges of all stay.
func withConfiguration<Value>(_ body: (JobConfiguration) async throws -> Value) async throws -> Value {
  let configuration = freshConfiguration()
  do {
    let value = try await body(configuration)
    try await remove(configuration)
    return value
  } catch {
    try? await remove(configuration)
    throw error
  }
}

private func remove(_ configuration: JobConfiguration) async throws {
  let topology = Topology(configuration)
  try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
    for queue in topology.queues where queue.name != Topology.unroutable {
      try await administration.deleteQueue(queue.name, onlyIfEmpty: false)
    }
    for tier in configuration.retryTiers { try await administration.deleteExchange(Topology.retryName(tier)) }
  }
}

/// Runs a broker over connections of its own for the length of `body`.
func withBroker<Value>(_ body: (RabbitMQJobBroker) async throws -> Value) async throws -> Value {
  let publisher = RabbitMQPublisher(try rabbitMQ(), name: "test publishing", logger: logger)
  let consumer = RabbitMQConsumer(try rabbitMQ(), name: "test consuming", logger: logger)
  let tasks = [Task { await publisher.run() }, Task { await consumer.run() }]
  func stop() async {
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }
  do {
    let value = try await body(RabbitMQJobBroker(publisher: publisher, consumer: consumer))
    await stop()
    return value
  } catch {
    await stop()
    throw error
  }
}

/// Applies a fresh configuration's topology and lends a broker on it.
func withAppliedTopology<Value>(
  _ body: (RabbitMQJobBroker, JobConfiguration) async throws -> Value
) async throws -> Value {
  try await withConfiguration { configuration async throws in
    try await RabbitMQAdministration.with(rabbitMQ()) { _ = try await Topology(configuration).apply($0) }
    return try await withBroker { try await body($0, configuration) }
  }
}
