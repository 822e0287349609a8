/// Forwards one connection's channel events to the queue.
struct PublisherDelegate: ChannelDelegate {
  let publishQueue: PublishQueue
  let session: Int

  func nextMessage() -> RabbitMQMessage? { publishQueue.nextMessage(session) }
  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) {
    publishQueue.confirmed(tag, multiple: multiple, positive: positive)
  }
  func returned(_ message: FrameAssembler.Content) { publishQueue.returned(message) }
  func blocked(_ isBlocked: Bool) { publishQueue.blocked(isBlocked) }
  func closed(_ error: RabbitMQError) { publishQueue.closed(error, session: session) }
}
