import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import HTTP

/// One client's connection without a socket: the test is the client and the routes.
final class Embedded {
  let channel: EmbeddedChannel
  let connection: ClientConnection
  private var sent = ""

  init(limits: ConnectionLimits = .init(), bodies: BodyBudget = .init()) throws {
    channel = EmbeddedChannel()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let connections = ClientConnections(limit: 100, limits: limits, logger: logger, bodies: bodies)
    connection = ClientConnection(channel: channel, connections: connections)
    try ClientChannel.addHandlers(of: connection)
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
  }

  /// The client sends text.
  func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

  func endInput() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }

  /// The next request that the routes get, complete.
  func request() throws -> (head: HTTPRequestHead, body: String)? {
    guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
    var body = ""
    while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
      switch part {
      case .head: return nil
      case .body(let bytes): body += String(buffer: bytes)
      case .end: return (head, body)
      }
    }
    return nil
  }

  /// The routes answer.
  func answer(_ text: String = "ok") {
    let headers: HTTPHeaders = ["Content-Length": "\(text.utf8.count)"]
    channel.write(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok, headers: headers)), promise: nil)
    channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
    channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
  }

  /// All that the client has got.
  func received() throws -> String {
    while let data = try channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let bytes) = data { sent += String(buffer: bytes) }
    }
    return sent
  }

  func status() throws -> Int? { try received().prefixMatch(of: /HTTP\/1\.1 ([0-9]{3})/).flatMap { Int($0.1) } }

  func wait(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }
}
