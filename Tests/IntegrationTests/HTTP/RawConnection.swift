import Glibc
import TestServers

/// A TCP connection to a port of 127.0.0.1 that sends only what a test passes to it.
final class RawConnection: Sendable {
  private let descriptor: Int32
  private let bytes = Locked<[UInt8]>([])

  /// Connects; throws where no process listens on the port.
  init(port: Int) throws {
    guard let descriptor = Loopback.connection(toPort: port) else {
      throw TestError(description: "cannot connect to port \(port)")
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Sends all of it; throws where the server has closed the connection.
  func send(_ text: String) throws {
    var left = Array(text.utf8)[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw TestError(description: "cannot send (errno \(errno))") }
      left = left.dropFirst(count)
    }
  }

  /// All that was received so far.
  func received() -> String {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = recv(descriptor, &buffer, 4_096, Int32(MSG_DONTWAIT))
      guard count > 0 else { return String(decoding: bytes.value, as: UTF8.self) }
      let fresh = Array(buffer[..<count])
      bytes.change { $0.append(contentsOf: fresh) }
    }
  }

  /// Sends as much as the connection takes without waiting, and returns how many bytes that were; nil: the server has
  /// closed it.
  func sendSome(_ bytes: [UInt8]) -> Int? {
    let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    if count >= 0 { return count }
    return errno == EAGAIN ? 0 : nil
  }

  /// Whether the server has closed the connection; what was received before is dropped.
  func isClosed() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count <= 0 { return count == 0 || errno != EAGAIN }
    }
  }

  /// Whether the server has closed the connection; nothing is read.
  func isReset() -> Bool {
    // POLLRDHUP, which Swift's Glibc module lacks.
    let closed: Int16 = 0x2000
    var state = pollfd(fd: descriptor, events: closed, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & (closed | Int16(POLLHUP) | Int16(POLLERR)) != 0
  }

  /// Tells the server that nothing more will be sent.
  func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The status of the HTTP response; nil while there is none.
  func status() -> Int? { received().prefixMatch(of: /HTTP\/1\.1 ([0-9]{3})/).flatMap { Int($0.1) } }
}
