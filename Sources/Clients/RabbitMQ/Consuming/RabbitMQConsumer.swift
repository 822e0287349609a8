internal import ClientLoop
package import Logging
internal import Synchronization

/// Keeps one connection for consuming and the subscriptions on it; both are rebuilt after every loss.
///
/// Call ``run()`` in a task of its own.
package final class RabbitMQConsumer: Sendable {
  private let supervisor: ConnectionSupervisor
  private let logger: Logger
  private let (added, addedContinuation) = AsyncStream.makeStream(of: RabbitMQSubscription.self)
  private let current = Mutex(Promise<RabbitMQConnection>())

  /// Prepares a consumer; `name` is what the broker shows for its connection.
  package init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) {
    supervisor = ConnectionSupervisor(configuration: configuration, purpose: .consuming, name: name, logger: logger)
    self.logger = logger
  }

  package var isConnected: Bool { current.withLock { $0.result != nil } }

  /// Starts consuming a queue. Deliveries come from ``RabbitMQSubscription/deliveries``; at most `prefetch` of them are
  /// unsettled at a time (0: none are delivered until ``RabbitMQSubscription/setPrefetch(_:)`` asks for more).
  package func subscribe(queue: String, prefetch: Int) -> RabbitMQSubscription {
    let subscription = RabbitMQSubscription(queue: queue, prefetch: prefetch, logger: logger)
    addedContinuation.yield(subscription)
    return subscription
  }

  /// How many messages of a queue are ready, which means not delivered; nil where there is no such queue.
  ///
  /// It asks the broker (a passive declaration, on a channel of its own). Throws
  /// ``RabbitMQError/connectionClosed(code:reason:)`` while there is no connection, and the broker's error where it
  /// refuses. Where the broker does not answer within 10 s, the connection ends.
  package func readyCount(of queue: String) async throws -> Int? {
    guard case .success(let connection)? = current.withLock({ $0 }).result else {
      throw RabbitMQError.connectionClosed(code: 0, reason: "not connected")
    }
    return try await connection.queueDepth(queue)?.messages
  }

  /// Runs until the task is cancelled; then the connection is closed, and the broker requeues unsettled deliveries.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        await self.supervisor.run(
          attach: { connection in _ = self.current.withLock { $0 }.resolve(.success(connection)) },
          detach: { self.current.withLock { $0 = Promise() } })
      }
      for await subscription in added {
        group.addTask {
          await subscription.serve { try await self.current.withLock { $0 }.wait() }
        }
      }
    }
  }
}
