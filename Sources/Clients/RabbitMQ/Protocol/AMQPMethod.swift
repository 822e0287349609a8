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
  case unbindQueue(queue: String, exchange: String, routingKey: String)
  case deleteQueue(name: String, onlyIfEmpty: Bool)
  case deleteExchange(name: String)
  case purgeQueue(name: String)
  case get(queue: String)

  /// Writes the method; returns librabbitmq's status.
  func send(_ connection: amqp_connection_state_t, channel: UInt16) -> Int32 {
    var arena = ByteArena()
    switch self {
    case .openChannel:
      var method = amqp_channel_open_t()
      return amqp_send_method(connection, channel, AMQP_CHANNEL_OPEN_METHOD, &method)
    case .closeChannel:
      var method = amqp_channel_close_t()
      method.reply_code = 200
      return amqp_send_method(connection, channel, AMQP_CHANNEL_CLOSE_METHOD, &method)
    case .selectConfirms:
      var method = amqp_confirm_select_t()
      return amqp_send_method(connection, channel, AMQP_CONFIRM_SELECT_METHOD, &method)
    case .setPrefetch(let count):
      var method = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: UInt16(clamping: count), global: 0)
      return amqp_send_method(connection, channel, AMQP_BASIC_QOS_METHOD, &method)
    case .consume(let queue, let tag):
      let (queue, tag) = (arena.add(queue), arena.add(tag))
      return arena.withPointers { bytes in
        var method = amqp_basic_consume_t()
        method.queue = bytes(queue)
        method.consumer_tag = bytes(tag)
        return amqp_send_method(connection, channel, AMQP_BASIC_CONSUME_METHOD, &method)
      }
    case .cancelConsumer(let tag):
      let tag = arena.add(tag)
      return arena.withPointers { bytes in
        var method = amqp_basic_cancel_t(consumer_tag: bytes(tag), nowait: 0)
        return amqp_send_method(connection, channel, AMQP_BASIC_CANCEL_METHOD, &method)
      }
    case .declareQueue(let name, let passive, let arguments):
      let name = arena.add(name)
      return arguments.withTable { table in
        arena.withPointers { bytes in
          var method = amqp_queue_declare_t()
          method.queue = bytes(name)
          method.passive = passive ? 1 : 0
          method.durable = 1
          method.arguments = table
          return amqp_send_method(connection, channel, AMQP_QUEUE_DECLARE_METHOD, &method)
        }
      }
    case .declareExchange(let name, let type, let passive, let arguments):
      let (name, type) = (arena.add(name), arena.add(type))
      return arguments.withTable { table in
        arena.withPointers { bytes in
          var method = amqp_exchange_declare_t()
          method.exchange = bytes(name)
          method.type = bytes(type)
          method.passive = passive ? 1 : 0
          method.durable = 1
          method.arguments = table
          return amqp_send_method(connection, channel, AMQP_EXCHANGE_DECLARE_METHOD, &method)
        }
      }
    case .bindQueue(let queue, let exchange, let key):
      let (queue, exchange, key) = (arena.add(queue), arena.add(exchange), arena.add(key))
      return arena.withPointers { bytes in
        var method = amqp_queue_bind_t()
        method.queue = bytes(queue)
        method.exchange = bytes(exchange)
        method.routing_key = bytes(key)
        return amqp_send_method(connection, channel, AMQP_QUEUE_BIND_METHOD, &method)
      }
    case .unbindQueue(let queue, let exchange, let key):
      let (queue, exchange, key) = (arena.add(queue), arena.add(exchange), arena.add(key))
      return arena.withPointers { bytes in
        var method = amqp_queue_unbind_t()
        method.queue = bytes(queue)
        method.exchange = bytes(exchange)
        method.routing_key = bytes(key)
        return amqp_send_method(connection, channel, AMQP_QUEUE_UNBIND_METHOD, &method)
      }
    case .deleteQueue(let name, let onlyIfEmpty):
      let name = arena.add(name)
      return arena.withPointers { bytes in
        var method = amqp_queue_delete_t()
        method.queue = bytes(name)
        method.if_empty = onlyIfEmpty ? 1 : 0
        return amqp_send_method(connection, channel, AMQP_QUEUE_DELETE_METHOD, &method)
      }
    case .deleteExchange(let name):
      let name = arena.add(name)
      return arena.withPointers { bytes in
        var method = amqp_exchange_delete_t()
        method.exchange = bytes(name)
        return amqp_send_method(connection, channel, AMQP_EXCHANGE_DELETE_METHOD, &method)
      }
    case .purgeQueue(let name):
      let name = arena.add(name)
      return arena.withPointers { bytes in
        var method = amqp_queue_purge_t()
        method.queue = bytes(name)
        return amqp_send_method(connection, channel, AMQP_QUEUE_PURGE_METHOD, &method)
      }
    case .get(let queue):
      let queue = arena.add(queue)
      return arena.withPointers { bytes in
        var method = amqp_basic_get_t()
        method.queue = bytes(queue)
        return amqp_send_method(connection, channel, AMQP_BASIC_GET_METHOD, &method)
      }
    }
  }
}

/// The answer to an ``AMQPMethod``.
enum AMQPReply: Sendable {
  case done
  case queue(messages: Int, consumers: Int)
  case message(RabbitMQDelivery)
  case noMessage
}
