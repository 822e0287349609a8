package import Logging

/// Publishes messages with confirms, and reconnects after every loss.
///
/// Every message is persistent and mandatory, and has exactly one ``PublishResult``. Call ``run()`` in a task of its
/// own.
package final class RabbitMQPublisher: Sendable {
  private let supervisor: ConnectionSupervisor
  private let publishQueue: PublishQueue
  private let pulse = PublisherPulse()

  /// Prepares a publisher; `name` is what the broker shows for its connection.
  package init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) {
    supervisor = ConnectionSupervisor(configuration: configuration, purpose: .publishing, name: name, logger: logger)
    publishQueue = PublishQueue(logger: logger)
  }

  /// True while messages can be written: connected, not blocked by an alarm of the broker, and the broker answers.
  package var isReady: Bool { publishQueue.isReady && !pulse.isSilent }

  /// Publishes the messages and waits until the broker has confirmed each, or the deadline.
  ///
  /// Results are in the order of the messages. At most 1,000 messages and 1 MiB are in flight; the others queue, as all
  /// do while there is no connection. While 20,000 messages or 128 MiB wait, further callers get
  /// ``PublishResult/expired`` at once.
  package func publish(_ messages: [RabbitMQMessage], deadline: ContinuousClock.Instant) async -> [PublishResult] {
    guard !messages.isEmpty else { return [] }
    return await withCheckedContinuation { publishQueue.add(messages, deadline: deadline, $0) }
  }

  /// Keeps a connection until the task is cancelled; then the connection is closed and all messages are resolved.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.runExpiryTimer() }
      group.addTask { await self.runExchangeChecks() }
      group.addTask { await self.pulse.run(isBlocked: { !self.publishQueue.isReady }) }
      // A loss reaches the queue at once through its delegate.
      await supervisor.run(attach: { try await self.attach($0) }, detach: { self.pulse.detach() })
      group.cancelAll()
    }
    publishQueue.stop()
  }

  /// Prepares a new connection: once confirms are on, messages are written.
  private func attach(_ connection: RabbitMQConnection) async throws {
    let delegate = PublisherDelegate(publishQueue: publishQueue, session: publishQueue.nextSession())
    let channel = try await connection.openChannel(delegate)
    try await channel.call(.selectConfirms)
    pulse.attach(try await connection.openChannel())
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

  /// Looks for missing exchanges whose messages are held back, each once a second while it is missing. A channel of its
  /// own is the only one that the broker's 404 closes.
  private func runExchangeChecks() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(250))
      publishQueue.report()
      guard let (connection, exchanges) = publishQueue.exchangesToLookFor(.now) else { continue }
      for exchange in exchanges {
        do {
          _ = try await connection.callOnce(
            .declareExchange(name: exchange, type: "direct", passive: true, arguments: [:]))
          publishQueue.found(exchange: exchange)
        } catch let error as RabbitMQError {
          // 404: still missing. With any other refusal it exists. A lost connection says nothing.
          if case .channelClosed(let code, _) = error, code > 0, code != RabbitMQError.notFound {
            publishQueue.found(exchange: exchange)
          }
        } catch {}
      }
    }
  }
}
