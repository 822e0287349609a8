internal import Synchronization
internal import Wires

/// What a channel tells its user. Called on the connection's thread, so it must be quick and never block.
protocol RabbitMQChannelSink: Sendable {
  /// Messages arrived for the channel's consumers, in order.
  func received(_ deliveries: [RabbitMQDelivery])
  /// The broker cancelled a consumer: its queue was deleted or lost its leader.
  func consumerCancelled(tag: String)
  /// The next message to write; nil where there is none now.
  func nextMessage() -> RabbitMQMessage?
  /// The broker's verdict on one tag, or all up to it.
  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool)
  /// The broker could not route a message; its confirm follows.
  func returned(_ message: FrameAssembler.Content)
  /// The broker asks publishers to stop, or to go on.
  func blocked(_ isBlocked: Bool)
  /// The channel is gone; nothing more comes.
  func closed(_ error: RabbitMQError)
}

extension RabbitMQChannelSink {
  func received(_ deliveries: [RabbitMQDelivery]) {}
  func consumerCancelled(tag: String) {}
  func nextMessage() -> RabbitMQMessage? { nil }
  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) {}
  func returned(_ message: FrameAssembler.Content) {}
  func blocked(_ isBlocked: Bool) {}
  func closed(_ error: RabbitMQError) {}
}

/// A sink for channels that only call methods.
struct SilentSink: RabbitMQChannelSink {}

/// One channel of a connection.
final class RabbitMQChannel: Sendable {
  let number: UInt16
  let sink: any RabbitMQChannelSink
  private let wire: RabbitMQWire
  private let isEnded = Atomic(false)

  init(number: UInt16, wire: RabbitMQWire, sink: any RabbitMQChannelSink) {
    self.number = number
    self.wire = wire
    self.sink = sink
  }

  /// False once the broker or this program has closed it, or its connection is lost.
  var isOpen: Bool { !isEnded.load(ordering: .acquiring) }

  /// The connection's thread knows of the channel's end.
  func end() { isEnded.store(true, ordering: .releasing) }

  /// Calls a method and waits for its answer, ten seconds at most: a broker that is slower than that is taken for dead,
  /// and the connection with it.
  @discardableResult
  func call(_ method: AMQPMethod) async throws -> AMQPReply {
    try await post(method).wait()
  }

  /// Closes the channel without waiting for the broker's answer; nothing happens where it is closed already.
  func close() { _ = try? post(.closeChannel) }

  private func post(_ method: AMQPMethod) throws(RabbitMQError) -> OneShot<AMQPReply> {
    let call = RabbitMQWire.Call(channel: self, method: method, reply: OneShot(), deadline: .now + .seconds(10))
    try wire.post { $0.calls.append(call) }
    return call.reply
  }

  /// Settles a delivery; nothing happens where the connection has ended.
  func settle(_ tag: UInt64, _ settlement: Settlement) {
    try? wire.post { $0.settlements.append((self, tag, settlement)) }
  }

  /// Tells the thread that its sink has messages to write.
  func wakeForPublishing() { try? wire.post { $0.wantsPublishing = true } }
}
