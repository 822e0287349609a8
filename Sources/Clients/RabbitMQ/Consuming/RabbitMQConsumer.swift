internal import ClientLoop
package import Logging
internal import Synchronization

/// Keeps one connection for consuming and the subscriptions on it; both come back by themselves after any loss.
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

  /// True while the connection stands.
  package var isConnected: Bool { current.withLock { $0.result != nil } }

  /// Starts consuming a queue. Deliveries come from ``RabbitMQSubscription/deliveries``; at most `prefetch` of them are
  /// unsettled at a time (0: none are delivered until ``RabbitMQSubscription/setPrefetch(_:)`` asks for more).
  package func subscribe(queue: String, prefetch: Int) -> RabbitMQSubscription {
    let subscription = RabbitMQSubscription(queue: queue, prefetch: prefetch, logger: logger)
    addedContinuation.yield(subscription)
    return subscription
  }

  /// How many messages of a queue are ready, that is neither delivered to anybody nor settled; nil where there is no
  /// such queue.
  ///
  /// It asks the broker (a passive declaration, on a channel of its own of the present connection), so what it says was
  /// true a moment ago. Throws ``RabbitMQError/connectionClosed(code:reason:)`` while there is no connection, and what
  /// the broker says where it refuses. A broker that does not answer within 10 s loses the connection.
  package func readyCount(of queue: String) async throws -> Int? {
    guard case .success(let connection)? = current.withLock({ $0 }).result else {
      throw RabbitMQError.connectionClosed(code: 0, reason: "there is none at the moment")
    }
    return try await connection.queueDepth(queue)?.messages
  }

  /// Serves until the task is cancelled; then unsettled deliveries go back to their queues with the connection.
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
