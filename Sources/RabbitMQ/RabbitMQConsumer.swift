public import Logging
internal import Synchronization
internal import Wires

/// Keeps one connection for consuming and the subscriptions on it; both come back by themselves after any loss.
///
/// Call ``run()`` in a task of its own.
public final class RabbitMQConsumer: Sendable {
  private let configuration: RabbitMQConfiguration
  private let name: String
  private let logger: Logger
  private let (added, adding) = AsyncStream.makeStream(of: RabbitMQSubscription.self)
  private let current = Mutex(OneShot<RabbitMQConnection>())

  /// Prepares a consumer; `name` is what the broker shows for its connection.
  public init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) {
    self.configuration = configuration
    self.name = name
    self.logger = logger
  }

  /// True while the connection stands.
  public var isConnected: Bool { current.withLock { $0.result != nil } }

  /// Starts consuming a queue. Deliveries come from ``RabbitMQSubscription/deliveries``; at most `prefetch` of them are
  /// unsettled at a time (0: none are delivered until ``RabbitMQSubscription/setPrefetch(_:)`` asks for more).
  public func subscribe(queue: String, prefetch: Int) -> RabbitMQSubscription {
    let subscription = RabbitMQSubscription(queue: queue, prefetch: prefetch, logger: logger)
    adding.yield(subscription)
    return subscription
  }

  /// Serves until the task is cancelled; then unsettled deliveries go back to their queues with the connection.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keepConnected() }
      for await subscription in added {
        group.addTask {
          await subscription.serve { try await self.current.withLock { $0 }.wait() }
        }
      }
    }
  }

  private func keepConnected() async {
    var backoff = Backoff()
    while !Task.isCancelled {
      do {
        let connection = try await RabbitMQConnection.open(configuration, name: name)
        backoff.reset()
        current.withLock { $0 }.resolve(.success(connection))
        defer { current.withLock { $0 = OneShot() } }
        do {
          let end = try await connection.waitUntilClosed()
          logger.warning("consuming connection was lost; connecting again", metadata: ["error": "\(end)"])
        } catch {
          await connection.close()
          return
        }
      } catch {
        if Task.isCancelled { return }
        logger.warning("cannot consume; trying again", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: backoff.next())
    }
  }
}
