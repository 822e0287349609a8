import Glibc
import TestServers

/// A TCP socket bound to a port of 127.0.0.1 that the system chose; nobody listens on it yet.
func boundSocket() throws -> (descriptor: Int32, port: Int) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  setCloseOnExec(descriptor)
  var address = loopbackAddress(port: 0)
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let isBound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
      bind(descriptor, raw, length) == 0 && getsockname(descriptor, raw, &length) == 0
    }
  }
  guard isBound else { throw TestError(description: "cannot bind a socket (errno \(errno))") }
  return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

/// Ports of 127.0.0.1 that were free just now, all different. Whoever uses them must expect that one was taken since.
func freePorts(_ count: Int) throws -> [Int] {
  let sockets = try (0..<count).map { _ in try boundSocket() }
  for socket in sockets { close(socket.descriptor) }
  return sockets.map { $0.port }
}

/// A socket that has begun to connect and does not wait for the outcome.
func beginConnecting(to port: Int) -> Int32 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
  setCloseOnExec(descriptor)
  var address = loopbackAddress(port: port)
  withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
      _ = connect(descriptor, raw, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  return descriptor
}

/// A program that another test starts must not inherit the socket: it would then stay open when it is closed here.
func setCloseOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

private func loopbackAddress(port: Int) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = in_port_t(port).bigEndian
  address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
  return address
}
