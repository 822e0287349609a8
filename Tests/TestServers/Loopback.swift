internal import Glibc

/// Sockets on 127.0.0.1.
enum Loopback {
  /// A listener on a port of the system's choice, and that port; nil where there is none to be had (`errno` says why).
  static func listener() -> (descriptor: Int32, port: Int)? {
    var own = sockaddr_in()
    own.sin_family = sa_family_t(AF_INET)
    own.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let status = withAddress(&own) { address in
      let bound = Glibc.bind(descriptor, address, size)
      return bound == 0 && Glibc.listen(descriptor, 64) == 0 ? Glibc.getsockname(descriptor, address, &size) : -1
    }
    return status == 0 ? (descriptor, Int(own.sin_port.bigEndian)) : nil
  }

  /// A connection to the address; -1 where nobody listens.
  static func connection(to target: sockaddr_in) -> Int32 {
    var address = target
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let status = withAddress(&address) {
      Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    if status == 0 { return descriptor }
    Glibc.close(descriptor)
    return -1
  }

  private static func withAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
  }
}

/// True where somebody listens on the port of 127.0.0.1.
package func isListening(onPort port: Int) -> Bool {
  var target = sockaddr_in()
  target.sin_family = sa_family_t(AF_INET)
  target.sin_port = in_port_t(port).bigEndian
  target.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
  let descriptor = Loopback.connection(to: target)
  guard descriptor >= 0 else { return false }
  Glibc.close(descriptor)
  return true
}

/// A port of 127.0.0.1 on which nobody listens at the moment.
package func freePort() throws -> Int {
  guard let (descriptor, port) = Loopback.listener() else {
    throw TestError(description: "there is no free port on 127.0.0.1 (errno \(errno))")
  }
  Glibc.close(descriptor)
  return port
}
