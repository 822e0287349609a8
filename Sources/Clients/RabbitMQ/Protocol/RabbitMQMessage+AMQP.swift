internal import CRabbitMQ
internal import Foundation

extension RabbitMQMessage {
  /// Writes the message, mandatory and persistent; returns librabbitmq's status, which says only that the kernel
  /// accepted it.
  func publish(_ connection: amqp_connection_state_t, channel: UInt16) -> Int32 {
    var arena = ByteArena()
    let ranges = (exchange: arena.add(exchange), key: arena.add(routingKey))
    let messageID = properties.messageID.map { arena.add($0) }
    let type = properties.type.map { arena.add($0) }
    let contentType = properties.contentType.map { arena.add($0) }
    let correlationID = properties.correlationID.map { arena.add($0) }
    return properties.headers.withTable { headers in
      arena.withPointers { bytes in
        body.withUnsafeBytes { payload in
          var fields = amqp_basic_properties_t()
          fields._flags = UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_HEADERS_FLAG)
          fields.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
          fields.headers = headers
          fields.set(\.message_id, messageID.map(bytes), AMQP_BASIC_MESSAGE_ID_FLAG)
          fields.set(\.type, type.map(bytes), AMQP_BASIC_TYPE_FLAG)
          fields.set(\.content_type, contentType.map(bytes), AMQP_BASIC_CONTENT_TYPE_FLAG)
          fields.set(\.correlation_id, correlationID.map(bytes), AMQP_BASIC_CORRELATION_ID_FLAG)
          fields.set(\.timestamp, properties.timestamp, AMQP_BASIC_TIMESTAMP_FLAG)
          let content = amqp_bytes_t(
            len: payload.count, bytes: UnsafeMutableRawPointer(mutating: payload.baseAddress))
          return amqp_basic_publish(
            connection, channel, bytes(ranges.exchange), bytes(ranges.key), 1, 0, &fields, content)
        }
      }
    }
  }
}

extension amqp_basic_properties_t {
  fileprivate mutating func set<Value>(_ field: WritableKeyPath<Self, Value>, _ value: Value?, _ flag: Int32) {
    guard let value else { return }
    self[keyPath: field] = value
    _flags |= UInt32(flag)
  }
}

extension RabbitMQProperties {
  init(_ fields: amqp_basic_properties_t) {
    func has(_ flag: Int32) -> Bool { fields._flags & UInt32(flag) != 0 }
    if has(AMQP_BASIC_MESSAGE_ID_FLAG) { messageID = String(fields.message_id) }
    if has(AMQP_BASIC_TYPE_FLAG) { type = String(fields.type) }
    if has(AMQP_BASIC_CONTENT_TYPE_FLAG) { contentType = String(fields.content_type) }
    if has(AMQP_BASIC_CORRELATION_ID_FLAG) { correlationID = String(fields.correlation_id) }
    if has(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = fields.timestamp }
    if has(AMQP_BASIC_HEADERS_FLAG) { headers = [String: RabbitMQValue](fields.headers) }
  }
}
