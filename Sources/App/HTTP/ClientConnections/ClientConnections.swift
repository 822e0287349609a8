package import HummingbirdCore
package import Logging
internal import Metrics
internal import NIOCore
internal import Synchronization

/// All connections of clients: keeps their number and the memory of their requests below limits.
///
/// Near the limit, the connection that has been idle longest is closed for each new one (RFC 9112, section 9.5, allows
/// it at any time), or else the one that has kept us waiting longest for a body or with an answer it does not take.
/// While all have an answer under way, new ones wait to be accepted. `Connections.md` describes it.
package final class ClientConnections: Sendable {
  private struct Entry {
    let connection: NIOLoopBound<ClientConnection>
    let eventLoop: any EventLoop
    /// Since when a request's progress depends on the client.
    var stalledSince: NIODeadline?
  }

  private struct State {
    /// Without a request under way, and those whose last answer is sent.
    var idle = ConnectionOrder()
    /// Those that receive a body, or send an answer that the client has not taken.
    var stalled = ConnectionOrder()
    var entries: [ObjectIdentifier: Entry] = [:]
    var open = 0
    var bodies: BodyBudget
    var loops: [ObjectIdentifier: NIOLoopBound<LoopConnections>] = [:]
    var counts: [ObjectIdentifier: [ConnectionState.Phase: Int]] = [:]

    /// The connection whose place is the first to give away; nil: there is none.
    mutating func nextVictim() -> Entry? {
      if let id = idle.removeOldest() { return entries[id] }
      guard let id = stalled.oldest(), let entry = entries[id], let since = entry.stalledSince,
        since + BodyBudget.honestTime <= entry.eventLoop.now
      else { return nil }
      stalled.remove(id)
      return entry
    }
  }

  let limits: ConnectionLimits
  let log: ConnectionLog
  private let limit: Int
  private let state: Mutex<State>

  /// How many connections are kept free by closing others, so that a new client is accepted without delay.
  private var spare: Int { min(32, limit / 4) }

  /// - Parameter limit: how many clients may be connected at a time.
  package convenience init(limit: Int, limits: ConnectionLimits = .init(), logger: Logger) {
    self.init(limit: limit, limits: limits, logger: logger, bodies: BodyBudget())
  }

  init(limit: Int, limits: ConnectionLimits, logger: Logger, bodies: BodyBudget) {
    self.limit = limit
    self.limits = limits
    log = ConnectionLog(logger: logger)
    state = Mutex(State(bodies: bodies))
  }

  /// Builds the HTTP server on these connections.
  package var server: HTTPServerBuilder {
    Gauge(label: ConnectionMetrics.connectionsMax).record(limit)
    return HTTPServerBuilder { responder in ClientChannel(responder: responder, connections: self) }
  }

  /// The server asks it before it accepts a connection.
  package var delegate: some AvailableConnectionsDelegate { Delegate(connections: self) }

  private struct Delegate: AvailableConnectionsDelegate {
    let connections: ClientConnections
    func connectionOpened() { connections.opened() }
    func connectionClosed() { connections.state.withLock { $0.open -= 1 } }
    func isAcceptingNewConnections() -> Bool { connections.state.withLock { $0.open < connections.limit } }
  }

  // MARK: Places

  private func opened() {
    state.withLock { $0.open += 1 }
    makeRoom(closing: 1)
  }

  /// Closes connections while there are few places left; those that keep us waiting, after a second only.
  private func makeRoom(closing max: Int) {
    let victims: [Entry] = state.withLock { state in
      var victims: [Entry] = []
      while victims.count < max, state.open - victims.count > limit - spare, let victim = state.nextVictim() {
        victims.append(victim)
      }
      return victims
    }
    for victim in victims {
      log.note(CloseReason.crowded)
      victim.eventLoop.execute { victim.connection.value.close(.crowded) }
    }
  }

  func added(_ connection: ClientConnection) {
    let eventLoop = connection.channel.eventLoop
    let entry = Entry(connection: NIOLoopBound(connection, eventLoop: eventLoop), eventLoop: eventLoop)
    let loop = state.withLock { state in
      state.entries[connection.id] = entry
      state.idle.add(connection.id)
      let key = ObjectIdentifier(eventLoop)
      if let known = state.loops[key] { return known }
      let new = NIOLoopBound(LoopConnections(self), eventLoop: eventLoop)
      state.loops[key] = new
      return new
    }
    loop.value.add(connection)
  }

  func removed(_ connection: ClientConnection) {
    let loop = state.withLock { state in
      state.entries[connection.id] = nil
      state.idle.remove(connection.id)
      state.stalled.remove(connection.id)
      state.bodies.release(connection.id)
      return state.loops[ObjectIdentifier(connection.channel.eventLoop)]
    }
    loop?.value.remove(connection)
  }

  /// A request is under way, and needs the client to send its body or to take its answer.
  func dependsOnClient(_ connection: ClientConnection) {
    let now = connection.now
    state.withLock { state in
      state.idle.remove(connection.id)
      state.stalled.add(connection.id)
      state.entries[connection.id]?.stalledSince = now
    }
  }

  /// No request is under way: the place may be needed for another client.
  func becameIdle(_ connection: ClientConnection) {
    state.withLock { state in
      state.stalled.remove(connection.id)
      state.bodies.release(connection.id)
      state.idle.add(connection.id)
    }
  }

  // MARK: Bodies

  /// Charges bytes of a body that have arrived; false: there is no room for them.
  func charge(_ connection: ClientConnection, _ count: Int, _ kind: BodyBudget.Kind, isTrusted: Bool) -> Bool {
    let now = connection.now
    let cutOff: [Entry]? = state.withLock { state in
      switch state.bodies.charge(connection.id, count, kind, isTrusted: isTrusted, now) {
      case .granted(let cutOff): cutOff.compactMap { state.entries[$0] }
      case .refused: nil
      }
    }
    guard let cutOff else { return false }
    for entry in cutOff { entry.eventLoop.execute { entry.connection.value.refuse(.bodiesFull) } }
    return true
  }

  func bodyArrived(_ connection: ClientConnection) {
    state.withLock { state in
      state.stalled.remove(connection.id)
      state.bodies.arrived(connection.id)
    }
  }

  func releaseBody(_ connection: ClientConnection) {
    state.withLock { state in
      state.stalled.remove(connection.id)
      state.bodies.release(connection.id)
    }
  }

  // MARK: Some times a second

  /// Records how many connections of an event loop are in which phase, and makes room where places are few.
  func record(_ counts: [ConnectionState.Phase: Int], of loop: any EventLoop) {
    let (sum, bodies) = state.withLock { state in
      state.counts[ObjectIdentifier(loop)] = counts
      return (state.counts.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }, state.bodies)
    }
    ConnectionMetrics.record(sum, bodies)
    // While no place is left none is accepted, and `opened` is not called.
    makeRoom(closing: spare)
    log.report(at: loop.now)
  }
}
