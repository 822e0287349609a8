internal import ClientLoop
internal import Synchronization

/// What a channel tells its user. Called on the connection's thread, so it must be quick and never block.
protocol ChannelDelegate: Sendable {
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

extension ChannelDelegate {
  func received(_ deliveries: [RabbitMQDelivery]) {}
  func consumerCancelled(tag: String) {}
  func nextMessage() -> RabbitMQMessage? { nil }
  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) {}
  func returned(_ message: FrameAssembler.Content) {}
  func blocked(_ isBlocked: Bool) {}
  func closed(_ error: RabbitMQError) {}
}

/// A delegate for channels that only call methods.
struct NoOpChannelDelegate: ChannelDelegate {}

/// One channel of a connection.
final class RabbitMQChannel: Sendable {
  let number: UInt16
  let delegate: any ChannelDelegate
  private let loop: RabbitMQLoop
  private let isEnded = Atomic(false)

  init(number: UInt16, loop: RabbitMQLoop, delegate: any ChannelDelegate) {
    self.number = number
    self.loop = loop
    self.delegate = delegate
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

  private func post(_ method: AMQPMethod) throws(RabbitMQError) -> Promise<AMQPReply> {
    let call = RabbitMQLoop.Call(channel: self, method: method, reply: Promise(), deadline: .now + .seconds(10))
    try loop.post { $0.calls.append(call) }
    return call.reply
  }

  /// Settles a delivery; nothing happens where the connection has ended.
  func settle(_ tag: UInt64, _ settlement: Settlement) {
    try? loop.post { $0.settlements.append((self, tag, settlement)) }
  }

  /// Tells the thread that its delegate has messages to write.
  func wakeForPublishing() { try? loop.post { $0.wantsPublishing = true } }
}
