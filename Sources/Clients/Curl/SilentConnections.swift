internal import CCurl
internal import Glibc

/// Connections whose last requests all ended without a byte of an answer; used by the client's thread only.
///
/// A request that is given up leaves its HTTP/2 connection open, and libcurl sends the next ones on it: where the peer
/// is dead or has stopped, each of them would be in doubt. After some in a row the connection is broken off, and the
/// next request opens another.
final class SilentConnections {
  /// The ports tell the connections of one process apart; libcurl tells a request's ports, not its socket.
  struct Ports: Hashable {
    let local: Int32
    let remote: Int32
  }

  /// One slow request is no sign; so many in a row are.
  static let timeoutsMax = 3

  private var timeouts: [Ports: Int] = [:]
  /// Those that libcurl has opened; some may be closed, and their numbers used for something else.
  private var sockets: Set<Int32> = []

  func opened(_ socket: Int32) { sockets.insert(socket) }

  func answered(_ ports: Ports) { if !timeouts.isEmpty { timeouts[ports] = nil } }

  func timedOut(_ ports: Ports) {
    let count = (timeouts[ports] ?? 0) + 1
    timeouts[ports] = count < Self.timeoutsMax ? count : nil
    guard count >= Self.timeoutsMax else { return }
    let connected = sockets.first { vluma_connects($0, ports.local, ports.remote) != 0 }
    // libcurl finds the end of the stream and drops the connection; what else was sent on it is in doubt as well.
    if let connected { shutdown(connected, Int32(SHUT_RDWR)) }
  }
}
