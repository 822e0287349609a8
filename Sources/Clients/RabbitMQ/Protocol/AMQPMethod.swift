internal import CRabbitMQ

/// A method this client calls on a channel and waits for the answer of.
enum AMQPMethod: Sendable {
  case openChannel
  case closeChannel
  case selectConfirms
  case setPrefetch(Int)
  case consume(queue: String, consumerTag: String)
  case cancelConsumer(tag: String)
  case declareQueue(name: String, passive: Bool, arguments: [String: RabbitMQValue])
  case declareExchange(name: String, type: String, passive: Bool, arguments: [String: RabbitMQValue])
  case bindQueue(queue: String, exchange: String, routingKey: String)
  case deleteQueue(name: String, onlyIfEmpty: Bool)
  case deleteExchange(name: String)
}

/// The answer to an ``AMQPMethod``.
enum AMQPReply: Sendable {
  case done
  case queue(messages: Int, consumers: Int)
}
