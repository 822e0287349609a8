internal import Foundation
internal import Glibc

/// A proxy on the loopback interface between a client and a server, by which a test breaks connections as networks do.
///
/// It has one blocking thread that accepts, and two for each connection. Call ``stop()`` at the end of the test.
///
/// `@unchecked Sendable`: `condition` guards the mutable state.
package final class TCPProxy: @unchecked Sendable {
  /// Both sockets of one forwarded connection.
  final class Pair: @unchecked Sendable {
    // @unchecked: the proxy's `condition` guards the variables.
    let client: Int32
    let server: Int32
    var pumps = 2
    var isCut = false
    var isBlackholed = false
    var isClosed = false

    init(client: Int32, server: Int32) { (self.client, self.server) = (client, server) }
  }

  /// The port on 127.0.0.1 to connect to.
  package let port: Int
  private let listener: Int32
  let target: sockaddr_in
  let condition = NSCondition()
  var pairs: [Pair] = []
  private(set) var isOpen = true
  private(set) var isFrozen = false
  private var isStopped = false
  private(set) var delay = Duration.zero
  private(set) var bytesPerSecond: Int?
  /// How often ``restore()`` was called; a change ends the delays under way.
  private(set) var restoreCount = 0
  var bytesUntilCut: Int?
  var receivedBytes = 0
  var cuts = 0

  /// Listens on a port of the system's choice and forwards every connection to `host` (an IPv4 address or localhost).
  package init(to host: String, port: Int) throws {
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = in_port_t(port).bigEndian
    guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &target.sin_addr) == 1 else {
      throw TestError(description: "the proxy forwards to IPv4 addresses only, not to \(host)")
    }
    (listener, self.port) = try Loopback.listener()
    self.target = target
    startThread { self.acceptAll() }
  }

  package var connectionCount: Int { locked { pairs.count } }

  /// Bytes received from clients so far, forwarded or not.
  package var bytesFromClient: Int { locked { receivedBytes } }

  /// How often ``cut(afterBytesFromClient:)`` has cut.
  package var cutCount: Int { locked { cuts } }

  /// Resets every connection on both sides and returns when that is done. New ones are accepted.
  package func cutAll() {
    locked {
      let victims = pairs
      cut(victims)
      let end = Date(timeIntervalSinceNow: 5)
      while victims.contains(where: { !$0.isClosed }), condition.wait(until: end) {}
    }
  }

  /// Resets every connection once, after `count` more bytes from clients were forwarded.
  package func cut(afterBytesFromClient count: Int) { locked { bytesUntilCut = count } }

  /// Resets new connections at once, as a server that is down does.
  package func refuseNew() { locked { isOpen = false } }

  /// Forwards new connections again.
  package func acceptNew() { locked { isOpen = true } }

  /// Forwards nothing in either direction; connections stay open.
  package func freeze() { locked { isFrozen = true } }

  /// Ends ``freeze()`` and forwards what arrived meanwhile.
  package func unfreeze() {
    locked {
      isFrozen = false
      condition.broadcast()
    }
  }

  /// Delays all bytes in both directions, until ``restore()``.
  package func delay(_ delay: Duration) { locked { self.delay = delay } }

  /// Limits the rate of each connection in each direction, until ``restore()``.
  package func throttle(bytesPerSecond: Int) { locked { self.bytesPerSecond = max(1, bytesPerSecond) } }

  /// Drops the bytes of the present connections in both directions, as a restarted firewall does: neither side notices,
  /// not even that the other one closes. New connections are forwarded.
  package func blackhole() {
    locked {
      for pair in pairs { pair.isBlackholed = true }
      condition.broadcast()
    }
  }

  /// Ends every fault: forwards and accepts again, and resets the connections of ``blackhole()``.
  package func restore() {
    locked {
      isOpen = !isStopped
      isFrozen = false
      delay = .zero
      bytesPerSecond = nil
      restoreCount += 1
      cut(pairs.filter(\.isBlackholed))
    }
  }

  /// Resets every connection and stops listening.
  package func stop() {
    let isFirst = locked {
      defer { isStopped = true }
      isOpen = false
      return !isStopped
    }
    guard isFirst else { return }
    shutdown(listener, Int32(SHUT_RDWR))
    cutAll()
  }

  // MARK: Threads

  func startThread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = "test proxy"
    thread.start()
  }

  func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  private func acceptAll() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      if client < 0 {
        if errno == EINTR || errno == ECONNABORTED { continue }
        break
      }
      forward(client)
    }
    Glibc.close(listener)
  }
}
