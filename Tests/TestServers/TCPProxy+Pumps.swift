internal import Foundation
internal import Glibc

/// The threads that forward bytes.
extension TCPProxy {
  func forward(_ client: Int32) {
    guard let server = Loopback.connection(to: target) else { return reset(client) }
    let pair = Pair(client: client, server: server)
    let isAccepted = locked {
      if isOpen { pairs.append(pair) }
      return isOpen
    }
    guard isAccepted else {
      reset(client)
      reset(server)
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
      if isFromClient, count > 0 { locked { receivedBytes += count } }
      hold(pair)
      guard waitWhileFrozen(pair) else { break }
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

  /// How many of these bytes to forward, and whether to cut the connections then.
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
      guard waitWhileFrozen(pair) else { return false }
      let (rate, isBlackholed) = locked { (bytesPerSecond, pair.isBlackholed) }
      if isBlackholed { return true }
      // The bytes of a twentieth of a second at a time keep the waits between them short.
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

  /// Waits while the proxy is frozen; false: the connection was cut.
  private func waitWhileFrozen(_ pair: Pair) -> Bool {
    locked {
      while isFrozen, !pair.isCut, !pair.isBlackholed { condition.wait() }
      return !pair.isCut
    }
  }

  /// Waits for `time`, by default the delay of all bytes; ends early where the connection is cut or ``restore()``
  /// called.
  private func hold(_ pair: Pair, for time: Duration? = nil) {
    locked {
      let end = Date(timeIntervalSinceNow: (time ?? delay) / .seconds(1))
      let before = restoreCount
      while !pair.isCut, restoreCount == before, end.timeIntervalSinceNow > 0 { _ = condition.wait(until: end) }
    }
  }

  /// Wakes the pumps of these connections, which reset them. Call it with the lock held.
  func cut(_ victims: [Pair]) {
    for pair in victims where !pair.isClosed {
      pair.isCut = true
      // Ends a blocked recv; nothing is sent to the peer.
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

  /// Closes with a reset instead of a normal end.
  private func reset(_ descriptor: Int32) {
    var immediate = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &immediate, socklen_t(MemoryLayout<linger>.size))
    Glibc.close(descriptor)
  }
}
