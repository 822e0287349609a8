public import Foundation

/// A value in a message's headers or an entity's arguments.
public enum RabbitMQValue: Sendable, Equatable {
  case string(String)
  case integer(Int64)
  case bool(Bool)
  /// A value of a kind this platform does not use (tables, arrays, decimals): kept out, known to have been there.
  case unsupported

  /// The text, where it is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The number, where it is one.
  public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
}

/// A message's properties, as far as this platform uses them.
public struct RabbitMQProperties: Sendable, Equatable {
  public var messageID: String?
  public var type: String?
  public var contentType: String?
  public var correlationID: String?
  /// Seconds since 1970.
  public var timestamp: UInt64?
  public var headers: [String: RabbitMQValue] = [:]

  /// Empty properties.
  public init() {}
}

/// A message to be published; it is always persistent and mandatory.
public struct RabbitMQMessage: Sendable {
  public var exchange: String
  public var routingKey: String
  public var properties: RabbitMQProperties
  public var body: Data

  public init(exchange: String, routingKey: String, properties: RabbitMQProperties, body: Data) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.properties = properties
    self.body = body
  }

  /// Roughly what the message occupies in memory and on the wire, in bytes.
  var size: Int { body.count + 256 }
}

/// A message that a consumer received, to be settled once.
public struct RabbitMQDelivery: Sendable {
  public let properties: RabbitMQProperties
  public let body: Data
  public let exchange: String
  public let routingKey: String
  /// True where the broker has handed out this message before.
  public let redelivered: Bool
  let tag: UInt64
  let channel: RabbitMQChannel

  /// Tells the broker that the message is done. A no-op where the channel is gone: the broker delivers it again.
  public func acknowledge() { channel.settle(tag, .acknowledge) }

  /// Gives the message back to the queue, for this or another consumer.
  public func requeue() { channel.settle(tag, .requeue) }
}
