internal import NIOCore

/// The connections of one event loop, whose deadlines are looked at together: a timer for each would be set and
/// cancelled with every request.
final class LoopConnections {
  private static let interval = TimeAmount.milliseconds(250)

  private let connections: ClientConnections
  private var members: [ObjectIdentifier: ClientConnection] = [:]
  private var isScheduled = false

  init(_ connections: ClientConnections) { self.connections = connections }

  func add(_ connection: ClientConnection) {
    members[connection.id] = connection
    schedule(on: connection.channel.eventLoop)
  }

  func remove(_ connection: ClientConnection) { members[connection.id] = nil }

  private func schedule(on loop: any EventLoop) {
    guard !isScheduled else { return }
    isScheduled = true
    loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.interval) { self.tick(on: loop) }
  }

  private func tick(on loop: any EventLoop) {
    isScheduled = false
    var counts: [ConnectionState.Phase: Int] = [:]
    for connection in Array(members.values) {
      connection.tick()
      counts[connection.state.phase, default: 0] += 1
    }
    connections.record(counts, of: loop)
    // Once more without members, which records that there are none.
    if !counts.isEmpty { schedule(on: loop) }
  }
}
