package import Logging

/// Publishes messages with confirms, and reconnects after every loss.
///
/// Every message is persistent and mandatory, and has exactly one ``PublishResult``. Call ``run()`` in a task of its
/// own.
package final class RabbitMQPublisher: Sendable {
  private let supervisor: ConnectionSupervisor
  private let publishQueue = PublishQueue()

  /// Prepares a publisher; `name` is what the broker shows for its connection.
  package init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) {
    supervisor = ConnectionSupervisor(configuration: configuration, purpose: .publishing, name: name, logger: logger)
  }

  /// True while messages can be written: connected, and not blocked by an alarm of the broker.
  package var isReady: Bool { publishQueue.isReady }

  /// Publishes the messages and waits until the broker has confirmed each, or the deadline.
  ///
  /// Results are in the order of the messages. At most 1,000 messages and 1 MiB are in flight; the others queue, as all
  /// do while there is no connection. Callers wait for their messages, so a limit of callers is a limit of the queue's
  /// memory.
  package func publish(_ messages: [RabbitMQMessage], deadline: ContinuousClock.Instant) async -> [PublishResult] {
    guard !messages.isEmpty else { return [] }
    // What the protocol cannot carry would make the broker close the channel that all messages share.
    guard messages.allSatisfy(\.isPublishable) else {
      let others = messages.filter(\.isPublishable)
      var results = await publish(others, deadline: deadline).makeIterator()
      return messages.map { $0.isPublishable ? results.next() ?? .lost : .nacked }
    }
    return await withCheckedContinuation { publishQueue.add(messages, deadline: deadline, $0) }
  }

  /// Keeps a connection until the task is cancelled; then the connection is closed and all messages are resolved.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.runExpiryTimer() }
      // A loss reaches the queue at once through its delegate.
      await supervisor.run(attach: { try await self.attach($0) }, detach: {})
      group.cancelAll()
    }
    publishQueue.stop()
  }

  /// Prepares a new connection: once confirms are on, messages are written.
  private func attach(_ connection: RabbitMQConnection) async throws {
    let delegate = PublisherDelegate(publishQueue: publishQueue, session: publishQueue.nextSession())
    let channel = try await connection.openChannel(delegate)
    try await channel.call(.selectConfirms)
    guard publishQueue.connected(connection, channel, session: delegate.session) else {
      throw RabbitMQError.connectionClosed(code: 0, reason: "lost before it was ready")
    }
  }

  /// Checks deadlines and stuck writes; not on the connection's thread, which may be the one that is stuck.
  private func runExpiryTimer() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(50))
      publishQueue.expire(.now)
    }
  }
}
