import Glibc
import TestServers

/// A TCP connection to a port of 127.0.0.1 that sends what a test says, and nothing more.
final class RawConnection: Sendable {
  private let descriptor: Int32
  private let bytes = Locked<[UInt8]>([])

  /// Connects; throws where nobody listens there.
  init(port: Int) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    // A program that another test starts must not inherit the socket: it would stay open when it is closed here.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        connect(descriptor, raw, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw TestError(description: "cannot connect to port \(port) (errno \(errno))") }
  }

  deinit { close(descriptor) }

  /// Sends all of it; throws where the server is gone.
  func send(_ text: String) throws {
    var left = Array(text.utf8)[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw TestError(description: "cannot send (errno \(errno))") }
      left = left.dropFirst(count)
    }
  }

  /// All that has come so far.
  func received() -> String {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = recv(descriptor, &buffer, 4_096, Int32(MSG_DONTWAIT))
      guard count > 0 else { return String(decoding: bytes.value, as: UTF8.self) }
      let fresh = Array(buffer[..<count])
      bytes.change { $0.append(contentsOf: fresh) }
    }
  }

  /// The status of the HTTP answer; nil while there is none.
  func status() -> Int? { received().prefixMatch(of: /HTTP\/1\.1 ([0-9]{3})/).flatMap { Int($0.1) } }
}
