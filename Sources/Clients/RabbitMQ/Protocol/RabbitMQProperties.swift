/// A value in a message's headers or an entity's arguments.
package enum RabbitMQValue: Sendable, Equatable {
  case string(String)
  case integer(Int64)
  case bool(Bool)
  /// A value of a kind this client does not read (tables, arrays, decimals): only that it was there is known.
  case unsupported

  /// What the value occupies in a table, without its kind, in bytes.
  var encodedSize: Int {
    switch self {
    case .string(let text): 4 + text.utf8.count
    case .integer: 8
    case .bool: 1
    case .unsupported: 0
    }
  }

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

  /// The size of the frame that carries the properties of a published message, in bytes: AMQP cannot split them.
  var headerFrameSize: Int {
    // Frame header and end, class, weight, body size, flags, delivery mode and the table's length.
    var size = 7 + 1 + 2 + 2 + 8 + 2 + 1 + 4
    for short in [messageID, type, contentType, correlationID] { size += short.map { 1 + $0.utf8.count } ?? 0 }
    if timestamp != nil { size += 8 }
    for (name, value) in headers { size += 1 + name.utf8.count + 1 + value.encodedSize }
    return size
  }
}
