/// Receives a channel's events, and has its messages to publish. Called on the connection's thread, so it must be quick
/// and never block.
protocol ChannelDelegate: Sendable {
  /// Messages arrived for the channel's consumers, in order.
  func received(_ deliveries: [RabbitMQDelivery])
  /// The broker cancelled a consumer: its queue was deleted or lost its leader.
  func consumerCancelled(tag: String)
  /// The next message to write; nil where there is none now.
  func nextMessage() -> RabbitMQMessage?
  /// The broker's ack or nack of one tag, or of all up to it.
  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool)
  /// The broker could not route a message; its confirm follows.
  func returned(_ message: FrameAssembler.Content)
  /// The broker asks publishers to stop, or to go on.
  func blocked(_ isBlocked: Bool)
  /// The channel is closed; no event follows.
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
