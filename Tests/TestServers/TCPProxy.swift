internal import Foundation
internal import Glibc

/// A proxy on the loopback interface between a client and a server, where a test breaks connections in the ways networks do.
///
/// It consists of blocking threads only: one that accepts and two per connection. Call ``stop()`` at the end of the test.
///
/// `@unchecked Sendable`: `condition` guards all that changes.
package final class TCPProxy: @unchecked Sendable {
  /// Both sockets of one forwarded connection.
  private final class Pair: @unchecked Sendable {
    let client: Int32
    let server: Int32
    var pumps = 2
    var isCut = false
    var isBlackholed = false
    var isClosed = false

    init(client: Int32, server: Int32) { (self.client, self.server) = (client, server) }
  }

  /// Thrown where the proxy cannot be made.
  package struct Failure: Error, CustomStringConvertible {
    /// What failed.
    package let description: String
  }

  /// The port on 127.0.0.1 to connect to.
  package let port: Int
  private let listener: Int32
  private let target: sockaddr_in
  private let condition = NSCondition()
  private var pairs: [Pair] = []
  private var isOpen = true
  private var isFrozen = false
  private var isStopped = false
  private var pause = Duration.zero
  private var bytesPerSecond: Int?
  private var restores = 0
  private var bytesUntilCut: Int?
  private var received = 0
  private var cuts = 0

  /// Listens on a port of the system's choice and forwards every connection to `host` (an IPv4 address or localhost).
  package init(to host: String, port: Int) throws {
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = in_port_t(port).bigEndian
    guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &target.sin_addr) == 1 else {
      throw Failure(description: "the proxy forwards to IPv4 addresses only, not to \(host)")
    }
    guard let own = Loopback.listener() else { throw Failure(description: "the proxy cannot listen (errno \(errno))") }
    self.target = target
    listener = own.descriptor
    self.port = own.port
    startThread { self.acceptAll() }
  }

  /// How many connections stand.
  package var connectionCount: Int { locked { pairs.count } }

  /// Bytes that came from clients so far, forwarded or not.
  package var bytesFromClient: Int { locked { received } }

  /// How often ``cut(afterBytesFromClient:)`` has cut.
  package var cutCount: Int { locked { cuts } }

  /// Resets every connection on both sides and returns when that is done. New ones are still accepted.
  package func cutAll() {
    locked {
      let victims = pairs
      cut(victims)
      let end = Date(timeIntervalSinceNow: 5)
      while victims.contains(where: { !$0.isClosed }), condition.wait(until: end) {}
    }
  }

  /// Resets every connection once this many more bytes from clients were forwarded; then goes on as before.
  package func cut(afterBytesFromClient count: Int) { locked { bytesUntilCut = count } }

  /// Resets new connections at once, as a server that is away does.
  package func refuseNew() { locked { isOpen = false } }

  /// Forwards new connections again.
  package func acceptNew() { locked { isOpen = true } }

  /// Forwards nothing more in either direction; connections stay open.
  package func freeze() { locked { isFrozen = true } }

  /// Forwards what was held back, and goes on.
  package func unfreeze() {
    locked {
      isFrozen = false
      condition.broadcast()
    }
  }

  /// Holds whatever arrives for so long before it is forwarded, in both directions, until ``restore()``.
  package func delay(_ pause: Duration) { locked { self.pause = pause } }

  /// Forwards no more than so many bytes a second on each connection, in each direction, until ``restore()``.
  package func throttle(bytesPerSecond: Int) { locked { self.bytesPerSecond = max(1, bytesPerSecond) } }

  /// Forgets the connections that stand, as a firewall does that was started again: their bytes vanish in both
  /// directions, and neither side is told, not even where the other one closes. New connections are forwarded as ever.
  package func blackhole() {
    locked {
      for pair in pairs { pair.isBlackholed = true }
      condition.broadcast()
    }
  }

  /// Ends all that hinders: forwards at once again, accepts, and resets the connections that were swallowed.
  package func restore() {
    locked {
      isOpen = !isStopped
      isFrozen = false
      pause = .zero
      bytesPerSecond = nil
      restores += 1
      cut(pairs.filter(\.isBlackholed))
    }
  }

  /// Resets every connection and stops listening; afterwards nobody listens on the port.
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

  private func startThread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = "test proxy"
    thread.start()
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
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

  private func forward(_ client: Int32) {
    let server = Loopback.connection(to: target)
    let pair = Pair(client: client, server: server)
    let isTaken = locked {
      if isOpen, server >= 0 { pairs.append(pair) }
      return isOpen && server >= 0
    }
    guard isTaken else {
      reset(client)
      if server >= 0 { reset(server) }
      return
    }
    startThread { self.pump(pair, from: client, to: server, isFromClient: true) }
    startThread { self.pump(pair, from: server, to: client, isFromClient: false) }
  }

  /// Forwards one direction until the connection ends.
  private func pump(_ pair: Pair, from source: Int32, to destination: Int32, isFromClient: Bool) {
    var one: Int32 = 1
    setsockopt(destination, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(source, &buffer, 65_536, 0)
      if count < 0, errno == EINTR { continue }
      if isFromClient, count > 0 { locked { received += count } }
      hold(pair)
      guard waitForThaw(pair) else { break }
      if locked({ pair.isBlackholed }) { if count > 0 { continue } else { break } }
      guard count > 0 else {
        if count == 0 { shutdown(destination, Int32(SHUT_WR)) } else { locked { cut([pair]) } }
        break
      }
      let (allowed, cutsNow) = isFromClient ? allowance(count) : (count, false)
      guard buffer.withUnsafeBytes({ send($0.prefix(allowed), to: destination, pair) }) else {
        locked { cut([pair]) }
        break
      }
      if cutsNow { locked { cut(pairs) } }
    }
    finish(pair)
  }

  /// How many of these bytes are forwarded, and whether the connections are cut behind them.
  private func allowance(_ count: Int) -> (Int, Bool) {
    locked {
      guard let left = bytesUntilCut else { return (count, false) }
      bytesUntilCut = count < left ? left - count : nil
      if bytesUntilCut == nil { cuts += 1 }
      return (min(count, left), bytesUntilCut == nil)
    }
  }

  private func send(_ bytes: Slice<UnsafeRawBufferPointer>, to destination: Int32, _ pair: Pair) -> Bool {
    var left = UnsafeRawBufferPointer(rebasing: bytes)
    while !left.isEmpty {
      guard waitForThaw(pair) else { return false }
      let (rate, isBlackholed) = locked { (bytesPerSecond, pair.isBlackholed) }
      if isBlackholed { return true }
      // A twentieth of a second's bytes at a time, so that the pauses between are short.
      let size = rate.map { min(left.count, max(1, $0 / 20)) } ?? left.count
      let count = Glibc.send(destination, left.baseAddress, size, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      if count > 0 {
        left = UnsafeRawBufferPointer(rebasing: left.dropFirst(count))
        if let rate { hold(pair, for: Duration.seconds(1) * count / rate) }
      } else if errno == EAGAIN {
        var descriptor = pollfd(fd: destination, events: Int16(POLLOUT), revents: 0)
        poll(&descriptor, 1, 20)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// Waits while the proxy is frozen; false where the connection was cut.
  private func waitForThaw(_ pair: Pair) -> Bool {
    locked {
      while isFrozen, !pair.isCut, !pair.isBlackholed { condition.wait() }
      return !pair.isCut
    }
  }

  /// Waits for so long, by default as long as bytes are delayed, or until the connection is cut or all is restore again.
  private func hold(_ pair: Pair, for time: Duration? = nil) {
    locked {
      let end = Date(timeIntervalSinceNow: (time ?? pause) / .seconds(1))
      let before = restores
      while !pair.isCut, restores == before, end.timeIntervalSinceNow > 0 { _ = _ = condition.wait(until: end) }
    }
  }

  /// Wakes the pumps of these connections so that they reset them. Called with the lock held.
  private func cut(_ victims: [Pair]) {
    for pair in victims where !pair.isClosed {
      pair.isCut = true
      // Ends a blocked recv without telling the peer anything.
      shutdown(pair.client, Int32(SHUT_RD))
      shutdown(pair.server, Int32(SHUT_RD))
    }
    condition.broadcast()
  }

  /// The second pump to end closes both sockets.
  private func finish(_ pair: Pair) {
    locked {
      pair.pumps -= 1
      guard pair.pumps == 0 else { return }
      for descriptor in [pair.client, pair.server] {
        if pair.isCut { reset(descriptor) } else { Glibc.close(descriptor) }
      }
      pair.isClosed = true
      pairs.removeAll { $0 === pair }
      condition.broadcast()
    }
  }

  /// Closes with a reset instead of a good-bye.
  private func reset(_ descriptor: Int32) {
    var atOnce = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
    Glibc.close(descriptor)
  }
}
