/// A value in a message's headers or an entity's arguments.
package enum RabbitMQValue: Sendable, Equatable {
  case string(String)
  case integer(Int64)
  case bool(Bool)
  /// A value of a kind this client does not read (tables, arrays, decimals): only that it was there is known.
  case unsupported

  package var string: String? { if case .string(let value) = self { value } else { nil } }
  package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
}

/// The AMQP properties that this client reads and writes.
package struct RabbitMQProperties: Sendable, Equatable {
  /// AMQP's `message-id`; for a job its id. Nil: not set.
  package var messageID: String?
  /// AMQP's `type`; for a job its kind. Nil: not set.
  package var type: String?
  /// AMQP's `content-type`, the body's MIME type. Nil: not set.
  package var contentType: String?
  /// AMQP's `correlation-id`: what the message came from. Nil: not set.
  package var correlationID: String?
  /// Seconds since 1970.
  package var timestamp: UInt64?
  /// The publisher's own headers and those the broker adds, such as `x-death`; values of kinds this client does not
  /// read are ``RabbitMQValue/unsupported``.
  package var headers: [String: RabbitMQValue] = [:]

  package init() {}
}
