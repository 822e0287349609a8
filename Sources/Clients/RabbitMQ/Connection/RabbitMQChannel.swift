internal import ClientLoop
internal import Synchronization

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

  /// False once the broker or this client has closed it, or its connection is lost.
  var isOpen: Bool { !isEnded.load(ordering: .acquiring) }

  /// Called by the connection's thread when the channel has ended.
  func end() { isEnded.store(true, ordering: .releasing) }

  /// Calls a method and waits for its answer. A broker that does not answer within ten seconds is taken for dead: the
  /// connection ends.
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
