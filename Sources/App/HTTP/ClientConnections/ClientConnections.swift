internal import DequeModule
package import HummingbirdCore
package import NIOCore
internal import NIOHTTPTypes
internal import Synchronization

/// Keeps the number of connected clients below a limit: when places become few, the connection that has been idle longest is
/// closed. While all places are taken by clients with a request under way, new ones wait to be accepted.
///
/// HTTP allows a server to close an idle connection at any time (RFC 9112, section 9.5); a client with something to ask opens a
/// new one. Without the limit a thousand idle clients take every file descriptor of the process.
package final class ClientConnections: Sendable {
  private struct State {
    var table = ConnectionTable()
    var channels: [ObjectIdentifier: any Channel] = [:]
    var open = 0
  }

  /// No more clients than this are connected at a time.
  package let limit: Int
  private let state = Mutex(State())

  /// Places that are kept free by closing idle connections, so that a newcomer need not wait for one. A quarter of the places
  /// where there are few of them.
  private var spare: Int { min(32, limit / 4) }

  /// No clients yet.
  package init(limit: Int) { self.limit = limit }

  /// What the server asks before it accepts.
  package var delegate: some AvailableConnectionsDelegate { Delegate(connections: self) }

  /// Goes into each connection's pipeline, behind the HTTP decoder.
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

  /// Tells when a request is under way on its connection: from its first line to the end of the response.
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

/// Which connections are idle, and in what order they became so: a calculation without I/O.
struct ConnectionTable {
  /// Behind each idle connection the number of its idleness; nothing for a busy one.
  private var idle: [ObjectIdentifier: Int] = [:]
  /// In order; entries whose connection has been busy since are skipped.
  private var order = Deque<(id: ObjectIdentifier, number: Int)>()
  private var last = 0

  /// How many connections are idle.
  var idleCount: Int { idle.count }

  mutating func becameIdle(_ id: ObjectIdentifier) {
    last += 1
    idle[id] = last
    order.append((id, last))
    // Bounded: connections that answer many requests leave an entry for each.
    if order.count > 64 + 2 * idle.count { order.removeAll { idle[$0.id] != $0.number } }
  }

  mutating func becameBusy(_ id: ObjectIdentifier) { idle[id] = nil }

  mutating func remove(_ id: ObjectIdentifier) { idle[id] = nil }

  /// The connection that has been idle longest; it is idle no more.
  mutating func removeLongestIdle() -> ObjectIdentifier? {
    while let (id, number) = order.popFirst() {
      if idle[id] == number {
        idle[id] = nil
        return id
      }
    }
    return nil
  }
}
