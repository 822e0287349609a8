internal import CRabbitMQ
internal import ClientLoop
internal import Foundation
internal import Synchronization

/// What the connection's thread writes.
extension RabbitMQLoop {
  /// Writes a call, unless its channel is closed or closing: it must not reach the channel's successor of the same
  /// number.
  func send(_ call: Call, on connection: amqp_connection_state_t) throws(RabbitMQError) {
    let number = call.channel.number
    guard let state = channels[number], state.channel === call.channel, !state.isClosing else {
      call.reply.resolve(.failure(RabbitMQError.channelClosed(code: 0, reason: "the channel is already closed")))
      return
    }
    channels[number]?.calls.append(call)
    if call.isClose {
      channels[number]?.isClosing = true
      call.channel.end()
    }
    try check(AMQPMethodWriter(connection: connection, channel: number).write(call.method))
  }

  /// Writes the messages the channels' delegates have to publish now.
  func writeMessages(on connection: amqp_connection_state_t) throws(RabbitMQError) {
    for (number, state) in channels where !state.isClosing {
      var written = 0
      while let message = state.channel.delegate.nextMessage() {
        writingSince.withLock { $0 = .now }
        let status = message.publish(connection, channel: number)
        writingSince.withLock { $0 = nil }
        try check(status)
        written += 1
        // A confirm opens the window for more, and `connection.blocked` closes it, while messages are written.
        if written.isMultiple(of: 32) { try readFrames(of: connection) }
      }
    }
  }

  /// Writes what was settled since the last flush.
  func flushSettlements(on connection: amqp_connection_state_t) throws(RabbitMQError) {
    for number in channels.keys where channels[number]?.isClosing == false {
      for frame in channels[number]?.unacked.flush() ?? [] {
        switch frame {
        case .acknowledge(let tag, let multiple): try check(amqp_basic_ack(connection, number, tag, multiple ? 1 : 0))
        // reject, not nack: RabbitMQ 4.3 counts only rejected deliveries against the delivery limit.
        case .requeue(let tag): try check(amqp_basic_reject(connection, number, tag, 1))
        }
      }
    }
  }

  /// Closes the connection and waits for the broker's answer, two seconds at most.
  func closeGracefully(_ connection: amqp_connection_state_t) {
    var timeout = vluma_timeval(2_000_000)
    amqp_set_rpc_timeout(connection, &timeout)
    _ = amqp_connection_close(connection, AMQP_REPLY_SUCCESS)
  }
}
