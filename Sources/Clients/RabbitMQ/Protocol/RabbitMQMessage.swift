package import Foundation

/// A value in a message's headers or an entity's arguments.
package enum RabbitMQValue: Sendable, Equatable {
  case string(String)
  case integer(Int64)
  case bool(Bool)
  /// A value of a kind this platform does not use (tables, arrays, decimals): kept out, known to have been there.
  case unsupported

  /// The text, where it is one.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The number, where it is one.
  package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
}

/// A message's properties, as far as this platform uses them.
package struct RabbitMQProperties: Sendable, Equatable {
  /// AMQP's `message-id`; the platform's messages have their job's id there. Nil: not set.
  package var messageID: String?
  /// AMQP's `type`; the platform's messages have their job's kind there. Nil: not set.
  package var type: String?
  /// AMQP's `content-type`, the body's MIME type. Nil: not set.
  package var contentType: String?
  /// AMQP's `correlation-id`: what the message came from. Nil: not set.
  package var correlationID: String?
  /// Seconds since 1970.
  package var timestamp: UInt64?
  /// The publisher's own headers and those the broker adds, such as `x-death`; values of kinds this platform does not
  /// use are ``RabbitMQValue/unsupported``.
  package var headers: [String: RabbitMQValue] = [:]

  /// Empty properties.
  package init() {}
}

/// A message to be published; it is always persistent and mandatory.
package struct RabbitMQMessage: Sendable {
  /// The exchange it goes to; one that does not exist makes the broker close the channel (404).
  package var exchange: String
  /// What the exchange routes by, at most 255 bytes (an AMQP short string).
  package var routingKey: String
  /// What is known of the message without reading its body.
  package var properties: RabbitMQProperties
  /// The bytes to deliver; neither this client nor the broker looks into them.
  package var body: Data

  /// Addresses a message; nothing is sent before ``RabbitMQPublisher/publish(_:deadline:)``.
  package init(exchange: String, routingKey: String, properties: RabbitMQProperties, body: Data) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.properties = properties
    self.body = body
  }

  /// RabbitMQ 4 refuses larger bodies by default (max_message_size), in bytes.
  static let bodyMax = 16 << 20

  /// False where the protocol cannot carry it: names of more than 255 bytes (AMQP's short strings), or a body that is
  /// too large.
  var isPublishable: Bool {
    let shorts = [
      exchange, routingKey, properties.messageID, properties.type, properties.contentType, properties.correlationID,
    ]
    return body.count <= Self.bodyMax
      && (shorts.compactMap { $0 } + properties.headers.keys).allSatisfy { $0.utf8.count <= 255 }
  }

  /// Roughly what the message occupies in memory and on the wire, in bytes.
  var size: Int { body.count + 256 }
}

/// A message that a consumer received, to be settled once.
package struct RabbitMQDelivery: Sendable {
  /// What the message carries besides its body.
  package let properties: RabbitMQProperties
  /// The bytes as they were published.
  package let body: Data
  /// The exchange it came to the queue by: for a message that was dead-lettered, the dead-letter exchange.
  package let exchange: String
  /// The key it came with; dead-lettering keeps it, unless the queue it came from sets another.
  package let routingKey: String
  /// True where the broker has handed out this message before.
  package let redelivered: Bool
  let tag: UInt64
  let channel: RabbitMQChannel

  /// False once the channel it came by is gone: then the broker has taken it back, unless it was settled before.
  package var isHeld: Bool { channel.isOpen }

  /// Tells the broker that the message is done. A no-op where the channel is gone: the broker delivers it again.
  package func acknowledge() { channel.settle(tag, .acknowledge) }

  /// Gives the message back to the queue, for this or another consumer.
  package func requeue() { channel.settle(tag, .requeue) }
}
