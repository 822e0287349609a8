internal import CRabbitMQ
internal import Foundation
internal import Wires

/// What the connection's thread does with frames that arrive.
extension RabbitMQWire {
  /// Takes one frame; everything in it is copied out.
  func handle(_ frame: amqp_frame_t) throws(RabbitMQError) {
    let number = frame.channel
    switch Int32(frame.frame_type) {
    case AMQP_FRAME_METHOD: try handle(frame.payload.method, on: number)
    case AMQP_FRAME_HEADER:
      let properties = frame.payload.properties
      guard let decoded = properties.decoded?.assumingMemoryBound(to: amqp_basic_properties_t.self) else { return }
      let content = channels[number]?.assembler.header(
        RabbitMQProperties(decoded.pointee), bodySize: Int(clamping: properties.body_size))
      if let content { receive(content, on: number) }
    case AMQP_FRAME_BODY:
      let bytes = frame.payload.body_fragment
      let content = channels[number]?.assembler.body(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len))
      if let content { receive(content, on: number) }
    default: break
    }
  }

  private func receive(_ content: FrameAssembler.Content, on number: UInt16) {
    guard let channel = channels[number]?.channel else { return }
    switch content.announcement {
    case .delivery(let tag, let redelivered, let exchange, let routingKey),
      .got(let tag, let redelivered, let exchange, let routingKey):
      let delivery = RabbitMQDelivery(
        properties: content.properties, body: content.body, exchange: exchange, routingKey: routingKey,
        redelivered: redelivered, tag: tag, channel: channel)
      channels[number]?.ledger.delivered(tag)
      if case .got = content.announcement {
        answer(.message(delivery), on: number)
      } else {
        channels[number]?.received.append(delivery)
      }
    case .returned: channel.sink.returned(content)
    }
  }

  private func answer(_ reply: AMQPReply, on number: UInt16) {
    guard var state = channels[number], !state.calls.isEmpty else { return }
    let call = state.calls.removeFirst()
    channels[number] = state
    call.reply.resolve(.success(reply))
  }

  private func handle(_ method: amqp_method_t, on number: UInt16) throws(RabbitMQError) {
    switch IncomingMethod(method) {
    case .content(let announcement): channels[number]?.assembler.announce(announcement)
    case .confirm(let tag, let multiple, let positive):
      channels[number]?.channel.sink.confirmed(tag, multiple: multiple, positive: positive)
    case .consumerCancelled(let tag): channels[number]?.channel.sink.consumerCancelled(tag: tag)
    case .blocked(let isBlocked): for state in channels.values { state.channel.sink.blocked(isBlocked) }
    case .reply(let reply): answer(reply, on: number)
    case .channelClosed(let code, let text): try closeChannel(number, code, text)
    case .channelClosedByUs:
      answer(.done, on: number)
      channels[number] = nil
    case .connectionClosed(let code, let text):
      if let connection {
        var ok = amqp_connection_close_ok_t()
        _ = amqp_send_method(connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok)
      }
      throw .connectionClosed(code: code, reason: text)
    case .irrelevant: break
    }
  }

  private func closeChannel(_ number: UInt16, _ code: Int, _ text: String) throws(RabbitMQError) {
    guard let connection, let state = channels.removeValue(forKey: number) else { return }
    var ok = amqp_channel_close_ok_t()
    try check(amqp_send_method(connection, number, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok))
    let error = RabbitMQError.channelClosed(code: code, reason: text)
    for call in state.calls { call.reply.resolve(.failure(error)) }
    state.channel.sink.closed(error)
  }
}
