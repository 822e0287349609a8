package import Foundation

/// A message to be published; it is always persistent and mandatory.
package struct RabbitMQMessage: Sendable {
  /// The exchange to publish to; one that does not exist makes the broker close the channel (404).
  package var exchange: String
  /// What the exchange routes by, at most 255 bytes (an AMQP short string).
  package var routingKey: String
  package var properties: RabbitMQProperties
  package var body: Data

  package init(exchange: String, routingKey: String, properties: RabbitMQProperties, body: Data) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.properties = properties
    self.body = body
  }

  /// RabbitMQ 4 refuses larger bodies by default (max_message_size), in bytes.
  static let bodyMax = 16 << 20

  /// False where the protocol cannot carry it: names of more than 255 bytes (AMQP's short strings), properties that do
  /// not fit into one frame of `frameMax` bytes, or a body that is too large.
  func isPublishable(frameMax: Int) -> Bool {
    let shorts = [
      exchange, routingKey, properties.messageID, properties.type, properties.contentType, properties.correlationID,
    ]
    return body.count <= Self.bodyMax && properties.headerFrameSize <= frameMax
      && (shorts.compactMap { $0 } + properties.headers.keys).allSatisfy { $0.utf8.count <= 255 }
  }

  /// Roughly what the message occupies in memory and on the socket, in bytes.
  var size: Int { body.count + properties.headerFrameSize + 128 }
}
