internal import CRabbitMQ

/// A method the broker sent, copied out of librabbitmq's memory.
enum InboundMethod {
  case content(FrameAssembler.Announcement)
  case confirm(tag: UInt64, multiple: Bool, positive: Bool)
  case consumerCancelled(tag: String)
  case blocked(Bool)
  case reply(AMQPReply)
  case channelClosed(code: Int, text: String)
  case channelCloseOk
  case connectionClosed(code: Int, text: String)
  case ignored

  init(_ method: amqp_method_t) {
    func decoded<Body>(_ type: Body.Type) -> Body { method.decoded.assumingMemoryBound(to: type).pointee }
    switch method.id {
    case AMQP_BASIC_DELIVER_METHOD:
      let body = decoded(amqp_basic_deliver_t.self)
      self = .content(
        .delivery(
          tag: body.delivery_tag, redelivered: body.redelivered != 0, exchange: String(body.exchange),
          routingKey: String(body.routing_key)))
    case AMQP_BASIC_RETURN_METHOD:
      let body = decoded(amqp_basic_return_t.self)
      self = .content(
        .returned(exchange: String(body.exchange), routingKey: String(body.routing_key)))
    case AMQP_BASIC_ACK_METHOD:
      let body = decoded(amqp_basic_ack_t.self)
      self = .confirm(tag: body.delivery_tag, multiple: body.multiple != 0, positive: true)
    case AMQP_BASIC_NACK_METHOD:
      let body = decoded(amqp_basic_nack_t.self)
      self = .confirm(tag: body.delivery_tag, multiple: body.multiple != 0, positive: false)
    case AMQP_BASIC_CANCEL_METHOD:
      self = .consumerCancelled(tag: String(decoded(amqp_basic_cancel_t.self).consumer_tag))
    case AMQP_CONNECTION_BLOCKED_METHOD: self = .blocked(true)
    case AMQP_CONNECTION_UNBLOCKED_METHOD: self = .blocked(false)
    case AMQP_CHANNEL_CLOSE_METHOD:
      let body = decoded(amqp_channel_close_t.self)
      self = .channelClosed(code: Int(body.reply_code), text: String(body.reply_text))
    case AMQP_CONNECTION_CLOSE_METHOD:
      let body = decoded(amqp_connection_close_t.self)
      self = .connectionClosed(code: Int(body.reply_code), text: String(body.reply_text))
    case AMQP_CHANNEL_CLOSE_OK_METHOD: self = .channelCloseOk
    case AMQP_QUEUE_DECLARE_OK_METHOD:
      let body = decoded(amqp_queue_declare_ok_t.self)
      self = .reply(.queue(messages: Int(body.message_count), consumers: Int(body.consumer_count)))
    case AMQP_CHANNEL_OPEN_OK_METHOD, AMQP_CONFIRM_SELECT_OK_METHOD, AMQP_BASIC_QOS_OK_METHOD,
      AMQP_BASIC_CONSUME_OK_METHOD, AMQP_BASIC_CANCEL_OK_METHOD, AMQP_EXCHANGE_DECLARE_OK_METHOD,
      AMQP_QUEUE_BIND_OK_METHOD, AMQP_QUEUE_DELETE_OK_METHOD, AMQP_EXCHANGE_DELETE_OK_METHOD:
      self = .reply(.done)
    default: self = .ignored
    }
  }
}
