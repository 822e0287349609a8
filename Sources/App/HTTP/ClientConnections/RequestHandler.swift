internal import NIOCore
internal import NIOHTTP1

/// The connection's place behind the HTTP decoder: complete requests go on, answers come back.
final class RequestHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let connection: ClientConnection

  init(_ connection: ClientConnection) { self.connection = connection }

  func handlerAdded(context: ChannelHandlerContext) { connection.requestContext = context }
  func handlerRemoved(context: ChannelHandlerContext) { connection.requestContext = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.decoded(.success(unwrapInboundIn(data)))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError {
      connection.decoded(.failure(error))
    } else {
      context.fireErrorCaught(error)
      connection.close(.client)
    }
  }

  /// Goes no further: the routes' side would take it for the end of its input and close.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { return }
    context.fireUserInboundEventTriggered(event)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head): context.write(wrapOutboundOut(.head(connection.answered(head))), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      context.write(data, promise: promise)
      connection.answerEnded()
    }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .output else { return context.close(mode: mode, promise: promise) }
    connection.outputEnded()
    promise?.succeed()
  }
}
