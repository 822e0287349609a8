internal import CRabbitMQ

/// Writes methods to one channel; each function returns librabbitmq's status.
struct AMQPMethodWriter {
  let connection: amqp_connection_state_t
  let channel: UInt16

  func write(_ method: AMQPMethod) -> Int32 {
    switch method {
    case .openChannel: send(AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t())
    case .closeChannel: closeChannel()
    case .selectConfirms: send(AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t())
    case .setPrefetch(let count):
      send(
        AMQP_BASIC_QOS_METHOD,
        amqp_basic_qos_t(prefetch_size: 0, prefetch_count: UInt16(clamping: count), global: 0))
    case .consume(let queue, let tag): consume(queue, tag)
    case .cancelConsumer(let tag):
      withBytes(tag) { send(AMQP_BASIC_CANCEL_METHOD, amqp_basic_cancel_t(consumer_tag: $0[0], nowait: 0)) }
    case .declareQueue(let name, let passive, let arguments): declareQueue(name, passive, arguments)
    case .declareExchange(let name, let type, let passive, let arguments):
      declareExchange(name, type, passive, arguments)
    case .bindQueue(let queue, let exchange, let key): bindQueue(queue, exchange, key)
    case .deleteQueue(let name, let onlyIfEmpty): deleteQueue(name, onlyIfEmpty)
    case .deleteExchange(let name): deleteExchange(name)
    }
  }

  private func closeChannel() -> Int32 {
    var method = amqp_channel_close_t()
    method.reply_code = 200
    return send(AMQP_CHANNEL_CLOSE_METHOD, method)
  }

  private func consume(_ queue: String, _ tag: String) -> Int32 {
    withBytes(queue, tag) { bytes in
      var method = amqp_basic_consume_t()
      method.queue = bytes[0]
      method.consumer_tag = bytes[1]
      return send(AMQP_BASIC_CONSUME_METHOD, method)
    }
  }

  private func declareQueue(_ name: String, _ passive: Bool, _ arguments: [String: RabbitMQValue]) -> Int32 {
    withBytes(name) { bytes in
      arguments.withTable { table in
        var method = amqp_queue_declare_t()
        method.queue = bytes[0]
        method.passive = passive ? 1 : 0
        method.durable = 1
        method.arguments = table
        return send(AMQP_QUEUE_DECLARE_METHOD, method)
      }
    }
  }

  private func declareExchange(
    _ name: String, _ type: String, _ passive: Bool, _ arguments: [String: RabbitMQValue]
  ) -> Int32 {
    withBytes(name, type) { bytes in
      arguments.withTable { table in
        var method = amqp_exchange_declare_t()
        method.exchange = bytes[0]
        method.type = bytes[1]
        method.passive = passive ? 1 : 0
        method.durable = 1
        method.arguments = table
        return send(AMQP_EXCHANGE_DECLARE_METHOD, method)
      }
    }
  }

  private func bindQueue(_ queue: String, _ exchange: String, _ key: String) -> Int32 {
    withBytes(queue, exchange, key) { bytes in
      var method = amqp_queue_bind_t()
      method.queue = bytes[0]
      method.exchange = bytes[1]
      method.routing_key = bytes[2]
      return send(AMQP_QUEUE_BIND_METHOD, method)
    }
  }

  private func deleteQueue(_ name: String, _ onlyIfEmpty: Bool) -> Int32 {
    withBytes(name) { bytes in
      var method = amqp_queue_delete_t()
      method.queue = bytes[0]
      method.if_empty = onlyIfEmpty ? 1 : 0
      return send(AMQP_QUEUE_DELETE_METHOD, method)
    }
  }

  private func deleteExchange(_ name: String) -> Int32 {
    withBytes(name) { bytes in
      var method = amqp_exchange_delete_t()
      method.exchange = bytes[0]
      return send(AMQP_EXCHANGE_DELETE_METHOD, method)
    }
  }

  private func send<Method>(_ id: UInt32, _ method: Method) -> Int32 {
    withUnsafePointer(to: method) {
      amqp_send_method(connection, channel, id, UnsafeMutableRawPointer(mutating: $0))
    }
  }

  /// Lends the texts to C in their order, during the call only.
  private func withBytes(_ texts: String..., body: ([amqp_bytes_t]) -> Int32) -> Int32 {
    var arena = ByteArena()
    let ranges = texts.map { arena.add($0) }
    return arena.withPointers { bytes in body(ranges.map { bytes($0) }) }
  }
}
