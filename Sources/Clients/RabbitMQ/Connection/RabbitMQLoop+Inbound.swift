internal import CRabbitMQ
internal import ClientLoop
internal import Foundation
internal import Synchronization

/// What the connection's thread does with frames that arrive.
extension RabbitMQLoop {
  /// Handles all frames that have arrived and returns their number; never waits.
  ///
  /// After TIMEOUT the thread may poll: no complete frame is left in a buffer that poll does not see. This is true with
  /// TLS as well. librabbitmq reads 128 KB at a time, a TLS record has at most 16 KB, and TIMEOUT is returned only
  /// after SSL_read found the socket empty. So OpenSSL holds at most the beginning of a record, and poll reports the
  /// rest when it arrives.
  @discardableResult
  func readFrames(of connection: amqp_connection_state_t) throws(RabbitMQError) -> Int {
    var frame = amqp_frame_t()
    var immediately = vluma_timeval(0)
    var count = 0
    while true {
      let status = amqp_simple_wait_frame_noblock(connection, &frame, &immediately)
      if status == AMQP_STATUS_TIMEOUT.rawValue { break }
      try check(status)
      try handle(frame)
      count += 1
      // Everything was copied out, so the library's memory can be released; not at every frame, which would be slow.
      if count.isMultiple(of: 64) { amqp_maybe_release_buffers(connection) }
    }
    amqp_maybe_release_buffers(connection)
    return count
  }

  /// Passes the deliveries that have arrived to the channels' delegates.
  func deliverReceived() {
    for number in channels.keys {
      guard let state = channels[number], !state.received.isEmpty else { continue }
      channels[number]?.received = []
      state.channel.delegate.received(state.received)
    }
  }

  /// Handles one frame; everything in it is copied out.
  private func handle(_ frame: amqp_frame_t) throws(RabbitMQError) {
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
    // What arrives after our close was sent is requeued by the broker.
    guard let state = channels[number], !state.isClosing else { return }
    let channel = state.channel
    switch content.announcement {
    case .delivery(let tag, let redelivered, let exchange, let routingKey):
      let delivery = RabbitMQDelivery(
        properties: content.properties, body: content.body, omittedBody: content.omittedBody, exchange: exchange,
        routingKey: routingKey, redelivered: redelivered, tag: tag, channel: channel)
      channels[number]?.unacked.delivered(tag)
      channels[number]?.received.append(delivery)
      markHealthy()
    case .returned: channel.delegate.returned(content)
    }
  }

  /// The connection works: the broker has confirmed or delivered a message.
  private func markHealthy() {
    guard !isHealthy else { return }
    isHealthy = true
    eventContinuation.yield(.healthy)
  }

  private func answer(_ reply: AMQPReply, on number: UInt16) {
    guard var state = channels[number], !state.calls.isEmpty else { return }
    let call = state.calls.removeFirst()
    channels[number] = state
    call.reply.resolve(.success(reply))
  }

  private func handle(_ method: amqp_method_t, on number: UInt16) throws(RabbitMQError) {
    switch InboundMethod(method) {
    case .content(let announcement): channels[number]?.assembler.announce(announcement)
    case .confirm(let tag, let multiple, let positive):
      channels[number]?.channel.delegate.confirmed(tag, multiple: multiple, positive: positive)
      markHealthy()
    case .consumerCancelled(let tag): channels[number]?.channel.delegate.consumerCancelled(tag: tag)
    case .blocked(let isBlocked):
      for state in channels.values { state.channel.delegate.blocked(isBlocked) }
      eventContinuation.yield(.blocked(isBlocked))
    case .reply(let reply): answer(reply, on: number)
    case .channelClosed(let code, let text): try closeChannel(number, code, text)
    case .channelCloseOk: channelClosed(number)
    case .connectionClosed(let code, let text):
      if let connection {
        var ok = amqp_connection_close_ok_t()
        _ = amqp_send_method(connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok)
      }
      throw .connectionClosed(code: code, reason: text)
    case .ignored: break
    }
  }

  /// The broker closed a channel.
  private func closeChannel(_ number: UInt16, _ code: Int, _ text: String) throws(RabbitMQError) {
    guard let connection, let state = channels.removeValue(forKey: number) else { return }
    state.channel.end()
    var ok = amqp_channel_close_ok_t()
    let status = amqp_send_method(connection, number, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok)
    // The broker still answers our own close; that answer must not reach a new channel of this number.
    if state.calls.contains(where: \.isClose) {
      crossedCloses.insert(number)
    } else {
      numbers.withLock { $0.release(number) }
    }
    let error = RabbitMQError.channelClosed(code: code, reason: text)
    for call in state.calls { call.reply.resolve(.failure(error)) }
    state.channel.delegate.closed(error)
    // Last: the callers and the delegate must learn of the close also where the write failed.
    try check(status)
  }

  /// The broker answered our close.
  private func channelClosed(_ number: UInt16) {
    if crossedCloses.remove(number) == nil {
      guard let state = channels.removeValue(forKey: number) else { return }
      state.channel.end()
      // The broker never answers calls written after the close.
      let error = RabbitMQError.channelClosed(code: 0, reason: "the channel is already closed")
      for call in state.calls { call.reply.resolve(call.isClose ? .success(.done) : .failure(error)) }
    }
    numbers.withLock { $0.release(number) }
  }
}

extension RabbitMQLoop.Call {
  var isClose: Bool { if case .closeChannel = method { true } else { false } }
}
