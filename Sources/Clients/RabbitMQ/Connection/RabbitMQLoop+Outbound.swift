internal import CRabbitMQ
internal import ClientLoop
internal import Foundation
internal import Synchronization

/// What the connection's thread writes.
extension RabbitMQLoop {
  /// Calls a method of a channel that stands; a call of one that is gone must not reach its successor of the same
  /// number.
  func send(_ call: Call, on connection: amqp_connection_state_t) throws(RabbitMQError) {
    let number = call.channel.number
    guard channels[number]?.channel === call.channel else {
      call.reply.resolve(.failure(RabbitMQError.channelClosed(code: 0, reason: "the channel was closed before")))
      return
    }
    channels[number]?.calls.append(call)
    try check(call.method.send(connection, channel: number))
  }

  /// Writes what the channels' users have to publish, as far as they let it go.
  func writeMessages(on connection: amqp_connection_state_t) throws(RabbitMQError) {
    for (number, state) in channels {
      var written = 0
      while let message = state.channel.delegate.nextMessage() {
        writingSince.withLock { $0 = .now }
        let status = message.publish(connection, channel: number)
        writingSince.withLock { $0 = nil }
        try check(status)
        written += 1
        // Look for `connection.blocked`, and for confirms that open the window, while writing.
        if written.isMultiple(of: 32) { try readFrames(of: connection) }
      }
    }
  }

  /// Tells the broker of all that was settled since the last time.
  func flushSettlements(on connection: amqp_connection_state_t) throws(RabbitMQError) {
    for number in channels.keys {
      for frame in channels[number]?.unacked.flush() ?? [] {
        switch frame {
        case .acknowledge(let tag, let multiple): try check(amqp_basic_ack(connection, number, tag, multiple ? 1 : 0))
        // reject, not nack: RabbitMQ 4.3 counts only rejected deliveries against the delivery limit.
        case .requeue(let tag): try check(amqp_basic_reject(connection, number, tag, 1))
        }
      }
    }
  }

  /// Says good-bye and waits for the answer, two seconds at most.
  func closeGracefully(_ connection: amqp_connection_state_t) {
    var timeout = timeval(tv_sec: 2, tv_usec: 0)
    amqp_set_rpc_timeout(connection, &timeout)
    _ = amqp_connection_close(connection, AMQP_REPLY_SUCCESS)
  }
}
