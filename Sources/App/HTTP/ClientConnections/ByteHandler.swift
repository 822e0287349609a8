internal import NIOCore

/// The connection's place before the HTTP decoder: it holds back what may not be decoded yet, and watches what the
/// client takes of an answer.
final class ByteHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Larger writes are divided, so that a slow client's progress is seen.
  private static let writeBytesMax = 64 << 10

  private let connection: ClientConnection

  init(_ connection: ClientConnection) { self.connection = connection }

  func handlerAdded(context: ChannelHandlerContext) { connection.byteContext = context }
  func handlerRemoved(context: ChannelHandlerContext) {
    connection.closed()
    connection.byteContext = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    connection.arrived(&bytes)
  }

  func read(context: ChannelHandlerContext) { connection.readWanted() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed: connection.inputEnded()
    case is ChannelShouldQuiesceEvent: connection.drain()
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.closed()
    context.fireChannelInactive()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .byteBuffer(var bytes) = unwrapOutboundIn(data), bytes.readableBytes > 0 else {
      return context.write(data, promise: promise)
    }
    connection.wrote(bytes.readableBytes)
    while let piece = bytes.readSlice(length: min(bytes.readableBytes, Self.writeBytesMax)), piece.readableBytes > 0 {
      let written = context.eventLoop.makePromise(of: Void.self)
      let count = piece.readableBytes
      written.futureResult.assumeIsolatedUnsafeUnchecked().whenSuccess { [connection] in connection.taken(count) }
      if bytes.readableBytes == 0 { written.futureResult.cascade(to: promise) }
      context.write(wrapOutboundOut(.byteBuffer(piece)), promise: written)
    }
  }
}
