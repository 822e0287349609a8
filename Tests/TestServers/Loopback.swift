package import Glibc

/// TCP sockets on 127.0.0.1. None of them is inherited by programs that a test starts: it would stay open there.
package enum Loopback {
  /// - Parameter port: 0: the system chooses one.
  package static func address(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return address
  }

  /// A socket that is bound to a port of the system's choice and does not listen.
  package static func boundSocket() throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket()
    var own = address(port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withAddress(&own) {
      Glibc.bind(descriptor, $0, size) == 0 && Glibc.getsockname(descriptor, $0, &size) == 0
    }
    guard isBound else {
      let code = errno
      Glibc.close(descriptor)
      throw TestError(description: "cannot bind a socket on 127.0.0.1 (errno \(code))")
    }
    return (descriptor, Int(own.sin_port.bigEndian))
  }

  /// A socket that listens on a port of the system's choice.
  package static func listener(backlog: Int32 = 64) throws -> (descriptor: Int32, port: Int) {
    let bound = try boundSocket()
    guard Glibc.listen(bound.descriptor, backlog) == 0 else {
      let code = errno
      Glibc.close(bound.descriptor)
      throw TestError(description: "cannot listen on 127.0.0.1 (errno \(code))")
    }
    return bound
  }

  /// A connection to the port; nil: it was refused.
  package static func connection(toPort port: Int) -> Int32? { connection(to: address(port: port)) }

  /// A connection to the address; nil: it was refused.
  package static func connection(to target: sockaddr_in) -> Int32? {
    var target = target
    let descriptor = socket()
    let status = withAddress(&target) { Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    guard status == 0 else {
      Glibc.close(descriptor)
      return nil
    }
    return descriptor
  }

  /// True where a server listens on the port.
  package static func isListening(onPort port: Int) -> Bool {
    guard let descriptor = connection(toPort: port) else { return false }
    Glibc.close(descriptor)
    return true
  }

  /// A port that was free a moment ago.
  package static func freePort() throws -> Int {
    let (descriptor, port) = try boundSocket()
    Glibc.close(descriptor)
    return port
  }

  private static func socket() -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  private static func withAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
  }
}
