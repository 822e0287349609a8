package import Logging

/// Publishes messages and says of each what became of it; the connection comes back by itself.
///
/// Every message is persistent and mandatory, and resolves exactly once: ``PublishResult``. Call ``run()`` in a task
/// of its own.
package final class RabbitMQPublisher: Sendable {
  private let supervisor: ConnectionSupervisor
  private let publishQueue = PublishQueue()

  /// Prepares a publisher; `name` is what the broker shows for its connection.
  package init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) {
    supervisor = ConnectionSupervisor(configuration: configuration, purpose: .publishing, name: name, logger: logger)
  }

  /// True while messages can be written: connected, and not blocked by an alarm of the broker.
  package var isReady: Bool { publishQueue.isReady }

  /// Publishes the messages and waits for the broker's word on each, until the deadline.
  ///
  /// Outcomes stand in the order of the messages. So many messages are in flight at most, 1,000 and 1 MiB; the others
  /// wait in line with their callers, as they do while there is no connection. The line is as long as there are callers:
  /// nobody leaves messages behind, so who bounds the callers bounds the memory.
  package func publish(_ messages: [RabbitMQMessage], deadline: ContinuousClock.Instant) async -> [PublishResult] {
    guard !messages.isEmpty else { return [] }
    // What the protocol cannot carry would close the channel under everybody else's messages.
    guard messages.allSatisfy(\.isPublishable) else {
      let others = messages.filter(\.isPublishable)
      var results = await publish(others, deadline: deadline).makeIterator()
      return messages.map { $0.isPublishable ? results.next() ?? .lost : .nacked }
    }
    return await withCheckedContinuation { publishQueue.add(messages, deadline: deadline, $0) }
  }

  /// Keeps a connection until the task is cancelled; then what is unresolved is told so and the connection closed.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.runExpiryTimer() }
      // Of a loss the publishQueue hears at once, from its ear at the connection.
      await supervisor.run(attach: { try await self.attach($0) }, detach: {})
      group.cancelAll()
    }
    publishQueue.stop()
  }

  /// Takes a fresh connection into use: once confirms are on, messages are written.
  private func attach(_ connection: RabbitMQConnection) async throws {
    let delegate = PublisherDelegate(publishQueue: publishQueue, session: publishQueue.nextSession())
    let channel = try await connection.openChannel(delegate)
    try await channel.call(.selectConfirms)
    guard publishQueue.connected(connection, channel, session: delegate.session) else {
      throw RabbitMQError.connectionClosed(code: 0, reason: "it was lost before it was taken into use")
    }
  }

  /// Deadlines and the watch over stuck writes hang on this clock, not on the connection's thread, which may be the one
  /// that is stuck.
  private func runExpiryTimer() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(50))
      publishQueue.expire(.now)
    }
  }
}
