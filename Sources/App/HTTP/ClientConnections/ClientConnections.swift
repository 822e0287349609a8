package import HummingbirdCore
package import NIOCore
internal import NIOHTTPTypes
internal import Synchronization

/// Keeps the number of connected clients below a limit: near the limit, the connection that has been idle longest is
/// closed for each new one. While all connections have a request under way, new ones wait to be accepted.
///
/// HTTP allows a server to close an idle connection at any time (RFC 9112, section 9.5); the client opens another one
/// for its next request. Without the limit a thousand idle clients use up the process's file descriptors.
package final class ClientConnections: Sendable {
  private struct State {
    var table = ConnectionTable()
    var channels: [ObjectIdentifier: any Channel] = [:]
    var open = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  /// How many connections are kept free by closing idle ones, so that a new client is accepted without delay.
  private var spare: Int { min(32, limit / 4) }

  package init(limit: Int) { self.limit = limit }

  /// The server asks it before it accepts a connection.
  package var delegate: some AvailableConnectionsDelegate { Delegate(connections: self) }

  /// A handler for one connection's pipeline, to be added behind the HTTP decoder.
  package func handler() -> some RemovableChannelHandler { Handler(connections: self) }

  private struct Delegate: AvailableConnectionsDelegate {
    let connections: ClientConnections
    func connectionOpened() { connections.opened() }
    func connectionClosed() { connections.state.withLock { $0.open -= 1 } }
    func isAcceptingNewConnections() -> Bool { connections.state.withLock { $0.open < connections.limit } }
  }

  private func opened() {
    let victim: (any Channel)? = state.withLock { state in
      state.open += 1
      guard state.open > limit - spare, let id = state.table.removeLongestIdle() else { return nil }
      return state.channels[id]
    }
    victim?.close(promise: nil)
  }

  private func added(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    state.withLock { state in
      state.channels[id] = channel
      state.table.becameIdle(id)
    }
  }

  private func removed(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    state.withLock { state in
      state.channels[id] = nil
      state.table.remove(id)
    }
  }

  /// Reports when a request is under way on its connection: from the request's head to the end of the response.
  private final class Handler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: ClientConnections
    private var requestsUnderWay = 0

    init(connections: ClientConnections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) { connections.added(context.channel) }

    func channelInactive(context: ChannelHandlerContext) {
      connections.removed(context.channel)
      context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { connections.removed(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      if case .head = unwrapInboundIn(data) {
        requestsUnderWay += 1
        let id = ObjectIdentifier(context.channel)
        connections.state.withLock { $0.table.becameBusy(id) }
      }
      context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      if case .end = unwrapOutboundIn(data) {
        requestsUnderWay -= 1
        if requestsUnderWay == 0 {
          let id = ObjectIdentifier(context.channel)
          connections.state.withLock { $0.table.becameIdle(id) }
        }
      }
      context.write(data, promise: promise)
    }
  }
}
