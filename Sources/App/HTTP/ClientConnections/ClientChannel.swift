internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Sets up the pipeline of a client's connection for Hummingbird's server, which answers the requests.
struct ClientChannel: HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  let responder: HTTPChannelHandler.Responder
  let connections: ClientConnections

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      // A read takes 2 KiB at first, and one buffer of 16 KiB at most: reading is not what limits a body's rate.
      channel.setOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 2 << 10, maximum: 16 << 10)
      ).whenFailure { _ in }
      channel.setOption(.maxMessagesPerRead, value: 1).whenFailure { _ in }
      // The kernel takes twice as much; by itself it would take up to 10 MB of memory for one connection.
      channel.setOption(.socketOption(.so_rcvbuf), value: 256 << 10).whenFailure { _ in }
      channel.setOption(.socketOption(.so_sndbuf), value: 128 << 10).whenFailure { _ in }
      try Self.addHandlers(of: ClientConnection(channel: channel, connections: connections))
      try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }.flatMapErrorThrowing { error in
      channel.close(promise: nil)
      throw error
    }
  }

  func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }

  /// The connection's handlers, around NIO's HTTP decoder and encoder.
  static func addHandlers(of connection: ClientConnection) throws {
    let pipeline = connection.channel.pipeline.syncOperations
    let limits = connection.state.limits
    var decoder = NIOHTTPDecoderLimitConfiguration()
    decoder.maxHeaderListSize = limits.headBytes
    decoder.maxHeaderFieldSize = limits.headFieldBytes
    decoder.maxHeaderFieldCount = limits.headFields
    try pipeline.addHandler(ByteHandler(connection))
    // Requests come one at a time, errors are answered by the connection, and HTTPTypes has checked the headers.
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoder)
    try pipeline.addHandler(RequestHandler(connection))
    connection.connections.added(connection)
  }
}
