import Foundation
import Logging
package import RabbitMQ
import TestServers

/// What a test puts into queues and takes out of them, past the platform's own programs.
extension Platform {
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func broker() throws -> RabbitMQConfiguration {
    try RabbitMQConfiguration(url: try TestEnvironment.rabbitMQ().string)
  }

  /// Writes a copy of queues.yaml in which a pool has another name, and returns its path. It goes with the platform.
  package func queuesFile(renaming old: String, to new: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "vluma-\(name)")
    let text = try String(contentsOf: folder.appending(path: "queues.yaml"), encoding: .utf8)
    let file = folder.appending(path: "\(new).yaml")
    try Data(text.replacing("\(old):", with: "\(new):").utf8).write(to: file)
    return file.path
  }

  /// How many messages of a queue are ready; nil where there is no such queue.
  package func depth(of queue: String) async throws -> Int? {
    try await RabbitMQAdministration.with(broker()) { try await $0.queueDepth(queue)?.messages }
  }

  /// Removes queues that a test has made besides those of the platform.
  package func delete(queues: [String]) async throws {
    try await RabbitMQAdministration.with(broker()) { administration async throws in
      for queue in queues { try await administration.deleteQueue(queue, onlyIfEmpty: false) }
    }
  }

  /// Publishes messages; throws where the broker does not confirm one of them.
  package func publish(_ messages: [RabbitMQMessage]) async throws {
    let publisher = RabbitMQPublisher(try broker(), name: "test publishing", logger: Self.silent)
    let running = Task { await publisher.run() }
    let outcomes = await publisher.publish(messages, deadline: .now + .seconds(20))
    running.cancel()
    await running.value
    guard outcomes.allSatisfy({ $0 == .confirmed }) else {
      throw TestError(description: "not confirmed: \(outcomes.filter { $0 != .confirmed })")
    }
  }

  /// Takes all that a queue has, at least `count` messages, for good.
  package func take(_ count: Int, from queue: String) async throws -> [RabbitMQDelivery] {
    let consumer = RabbitMQConsumer(try broker(), name: "test taking", logger: Self.silent)
    let subscription = consumer.subscribe(queue: queue, prefetch: 1_000)
    let taken = Locked<[RabbitMQDelivery]>([])
    let reading = Task {
      for await batch in subscription.deliveries {
        for delivery in batch { delivery.acknowledge() }
        taken.change { $0 += batch }
      }
    }
    let running = Task { await consumer.run() }
    var failure: (any Error)?
    do {
      try await eventually(within: .seconds(20), "\(count) messages come from \(queue)") {
        taken.value.count >= count
      }
    } catch { failure = error }
    // The last acknowledgements go out with the connection.
    running.cancel()
    await running.value
    reading.cancel()
    if let failure { throw failure }
    return taken.value
  }
}
