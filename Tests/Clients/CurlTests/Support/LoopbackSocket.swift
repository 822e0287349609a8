import Glibc
import TestServers

/// Ports of 127.0.0.1 that were free just now, all different. Whoever uses them must expect that one was taken since.
func freePorts(_ count: Int) throws -> [Int] {
  let sockets = try (0..<count).map { _ in try Loopback.boundSocket() }
  for socket in sockets { close(socket.descriptor) }
  return sockets.map { $0.port }
}

/// A socket that has begun to connect and does not wait for the outcome.
func beginConnecting(to port: Int) -> Int32 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
  setCloseOnExec(descriptor)
  var address = Loopback.address(port: port)
  withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
      _ = connect(descriptor, raw, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  return descriptor
}

/// A program that another test starts must not inherit the socket: it would then stay open when it is closed here.
func setCloseOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
