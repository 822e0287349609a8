import Foundation
import Logging
package import RabbitMQ
import TestServers

/// Direct access to the broker's queues, without the platform's processes.
extension Platform {
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Writes a copy of queues.yaml with a renamed pool, and returns its path. It is removed with the platform.
  package func queuesFile(renaming old: String, to new: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "vluma-\(name)")
    let text = try String(contentsOf: folder.appending(path: "queues.yaml"), encoding: .utf8)
    let file = folder.appending(path: "\(new).yaml")
    try Data(text.replacing("\(old):", with: "\(new):").utf8).write(to: file)
    return file.path
  }

  /// The number of ready messages; nil: there is no such queue.
  package func depth(of queue: String) async throws -> Int? {
    try await RabbitMQAdministration.with(rabbitMQ) { try await $0.queueDepth(queue)?.messages }
  }

  /// Deletes queues that a test has declared itself.
  package func delete(queues: [String]) async throws {
    try await RabbitMQAdministration.with(rabbitMQ) { administration async throws in
      for queue in queues { try await administration.deleteQueue(queue, onlyIfEmpty: false) }
    }
  }

  /// Publishes messages; throws where the broker does not confirm all of them.
  package func publish(_ messages: [RabbitMQMessage]) async throws {
    let publisher = RabbitMQPublisher(rabbitMQ, name: "test publishing", logger: Self.silent)
    let running = Task { await publisher.run() }
    let outcomes = await publisher.publish(messages, deadline: .now + .seconds(20))
    running.cancel()
    await running.value
    guard outcomes.allSatisfy({ $0 == .confirmed }) else {
      throw TestError(description: "not confirmed: \(outcomes.filter { $0 != .confirmed })")
    }
  }

  /// Consumes and acknowledges all messages of a queue, at least `count`.
  package func consume(_ count: Int, from queue: String) async throws -> [RabbitMQDelivery] {
    let consumer = RabbitMQConsumer(rabbitMQ, name: "test consuming", logger: Self.silent)
    let subscription = consumer.subscribe(queue: queue, prefetch: 1_000)
    let consumed = Locked<[RabbitMQDelivery]>([])
    let reading = Task {
      for await batch in subscription.deliveries {
        for delivery in batch { delivery.acknowledge() }
        consumed.change { $0 += batch }
      }
    }
    let running = Task { await consumer.run() }
    var failure: (any Error)?
    do {
      try await eventually(within: .seconds(20), "\(count) messages come from \(queue)") {
        consumed.value.count >= count
      }
    } catch { failure = error }
    // The last acknowledgements are sent before the connection closes.
    running.cancel()
    await running.value
    reading.cancel()
    if let failure { throw failure }
    return consumed.value
  }
}
