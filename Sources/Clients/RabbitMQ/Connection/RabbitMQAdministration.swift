/// Declares, inspects and deletes exchanges and queues; connects for each use, so it suits commands and start-up.
///
/// A refused method closes only its channel: each opens a new one.
package final class RabbitMQAdministration: Sendable {
  private let connection: RabbitMQConnection

  private init(_ connection: RabbitMQConnection) { self.connection = connection }

  /// Runs `body` on a connection of its own, and closes it.
  package static func with<Value>(
    _ configuration: RabbitMQConfiguration, name: String = "vluma administration",
    _ body: (RabbitMQAdministration) async throws -> Value
  ) async throws -> Value {
    let connection = try await RabbitMQConnection.open(configuration, name: name)
    do {
      let value = try await body(RabbitMQAdministration(connection))
      await connection.close()
      return value
    } catch {
      await connection.close()
      throw error
    }
  }

  /// Ready messages and consumers of a queue; nil where it does not exist.
  package func queueDepth(_ name: String) async throws -> (messages: Int, consumers: Int)? {
    try await connection.queueDepth(name)
  }

  /// The same of several queues, on one channel as long as all exist; those that do not are missing.
  package func queueDepths(_ names: [String]) async throws -> [String: (messages: Int, consumers: Int)] {
    try await connection.queueDepths(names)
  }

  /// True where the exchange exists, whatever its type.
  package func exchangeExists(_ name: String) async throws -> Bool {
    do {
      try await call(.declareExchange(name: name, type: "direct", passive: true, arguments: [:]))
      return true
    } catch let error as RabbitMQError where error.code == RabbitMQError.notFound {
      return false
    }
  }

  /// Declares a durable queue; code 406 where it exists with other arguments.
  package func declareQueue(_ name: String, arguments: [String: RabbitMQValue] = [:]) async throws {
    try await call(.declareQueue(name: name, passive: false, arguments: arguments))
  }

  /// Declares a durable exchange; code 406 where it exists with another type or other arguments.
  package func declareExchange(_ name: String, type: String, arguments: [String: RabbitMQValue] = [:]) async throws {
    try await call(.declareExchange(name: name, type: type, passive: false, arguments: arguments))
  }

  /// Binds a queue to an exchange; a second time it changes nothing.
  package func bind(queue: String, to exchange: String, routingKey: String) async throws {
    try await call(.bindQueue(queue: queue, exchange: exchange, routingKey: routingKey))
  }

  /// Deletes a queue; with `onlyIfEmpty`, code 406 where it holds messages.
  package func deleteQueue(_ name: String, onlyIfEmpty: Bool) async throws {
    try await call(.deleteQueue(name: name, onlyIfEmpty: onlyIfEmpty))
  }

  package func deleteExchange(_ name: String) async throws { try await call(.deleteExchange(name: name)) }

  @discardableResult
  private func call(_ method: AMQPMethod) async throws -> AMQPReply {
    try await connection.callOnce(method)
  }
}
