import Foundation
import Logging
import RabbitMQ
import TestServers

let logger = Logger(label: "test")

/// What every queue of these tests is, unless the test says otherwise.
let quorum: [String: RabbitMQValue] = ["x-queue-type": .string("quorum")]

/// The real server, directly or through a proxy's port.
func rabbitMQ(port: Int? = nil, password: String? = nil) throws -> RabbitMQConfiguration {
  try RabbitMQConfiguration(url: TestEnvironment.rabbitMQ().with(password: password, port: port))
}

/// Makes a queue that no other test uses, and removes it after `body`.
func withQueue<Value>(
  _ arguments: [String: RabbitMQValue] = quorum, _ body: (String) async throws -> Value
) async throws -> Value {
  let configuration = try rabbitMQ()
  let name = TestEnvironment.uniqueName("test")
  try await RabbitMQAdministration.with(configuration) { try await $0.declareQueue(name, arguments: arguments) }
  do {
    let value = try await body(name)
    try await RabbitMQAdministration.with(configuration) { try await $0.deleteQueue(name, onlyIfEmpty: false) }
    return value
  } catch {
    try? await RabbitMQAdministration.with(configuration) { try await $0.deleteQueue(name, onlyIfEmpty: false) }
    throw error
  }
}

/// Runs a publisher for the length of `body`; it need not be connected yet.
func withPublisher<Value>(
  _ configuration: RabbitMQConfiguration, _ body: (RabbitMQPublisher) async throws -> Value
) async throws -> Value {
  let publisher = RabbitMQPublisher(configuration, name: "test publisher", logger: logger)
  let running = Task { await publisher.run() }
  defer { running.cancel() }
  return try await body(publisher)
}

/// Runs a consumer for the length of `body`; returns after it has stopped.
func withConsumer<Value>(
  _ configuration: RabbitMQConfiguration, _ body: (RabbitMQConsumer) async throws -> Value
) async throws -> Value {
  let consumer = RabbitMQConsumer(configuration, name: "test consumer", logger: logger)
  let running = Task { await consumer.run() }
  do {
    let value = try await body(consumer)
    running.cancel()
    await running.value
    return value
  } catch {
    running.cancel()
    await running.value
    throw error
  }
}

/// A message for a queue, by way of the default exchange.
func message(
  _ id: String?, to routingKey: String, exchange: String = "", body: Data = Data("body".utf8)
) -> RabbitMQMessage {
  var properties = RabbitMQProperties()
  properties.messageID = id
  return RabbitMQMessage(exchange: exchange, routingKey: routingKey, properties: properties, body: body)
}

/// Publishes messages with these ids directly; throws where one is not confirmed.
func fill(_ queue: String, _ ids: [String]) async throws {
  try await withPublisher(rabbitMQ()) { publisher async throws in
    let results = await publisher.publish(ids.map { message($0, to: queue) }, deadline: .now + .seconds(30))
    guard results.allSatisfy({ $0 == .confirmed }) else {
      throw TestError(description: "the queue could not be filled: \(Set(results.map { "\($0)" }))")
    }
  }
}

/// Waits until so many messages of the queue are ready, neither delivered nor settled.
func eventuallyReady(_ count: Int, in queue: String) async throws {
  try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
    try await eventually(within: .seconds(20), "\(count) messages are ready in \(queue)") {
      try await administration.queueDepth(queue)?.messages == count
    }
  }
}

/// Acknowledges all deliveries of the queue until `isEnough`; returns them once no message is ready any more.
func collect(
  _ queue: String, until isEnough: @escaping @Sendable ([RabbitMQDelivery]) -> Bool
) async throws -> [RabbitMQDelivery] {
  try await withConsumer(rabbitMQ()) { consumer async throws in
    let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 500)) { $0.acknowledge() }
    try await eventually(within: .seconds(40), "everything was received from \(queue)") { isEnough(inbox.deliveries) }
    try await eventuallyReady(0, in: queue)
    return inbox.deliveries
  }
}
