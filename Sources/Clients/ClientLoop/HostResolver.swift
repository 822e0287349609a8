internal import Foundation
internal import Glibc
internal import Synchronization

/// Looks up the addresses of host names, with a deadline.
///
/// `getaddrinfo`, which the C libraries call by themselves, cannot be ended: where a name server is silent it blocks
/// for what resolv.conf allows, 10 s for each server and search domain by default. It runs on a thread of its own here,
/// one for each name at a time, and those who ask wait until their deadline only.
package final class HostResolver: Sendable {
  /// Why there are no addresses; safe to log, for it names hosts only.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  typealias LookUp = @Sendable (String) -> Result<[String], Failure>

  /// One look-up, awaited by any number of threads.
  ///
  /// `@unchecked Sendable`: `condition` guards `result`.
  private final class Running: @unchecked Sendable {
    let condition = NSCondition()
    var result: Result<[String], Failure>?
  }

  /// The system's resolver.
  package static let system = HostResolver(lookUp: HostResolver.systemLookUp)

  private let lookUp: LookUp
  private let running = Mutex<[String: Running]>([:])

  init(lookUp: @escaping LookUp) { self.lookUp = lookUp }

  /// The host's addresses in the system's order, at least one; blocks the calling thread, which must not be one of
  /// Swift's. An address is its own.
  ///
  /// - Parameter isCancelled: asked 20 times a second; where it is true the wait ends with an error.
  package func addresses(
    of host: String, until deadline: ContinuousClock.Instant, isCancelled: () -> Bool = { false }
  ) throws(Failure) -> [String] {
    if Self.isAddress(host) { return [host] }
    let (look, isNew) = running.withLock { running in
      if let look = running[host] { return (look, false) }
      let look = Running()
      running[host] = look
      return (look, true)
    }
    if isNew { start(look, host) }
    look.condition.lock()
    defer { look.condition.unlock() }
    while true {
      if let result = look.result { return try result.get() }
      let left = deadline - .now
      guard left > .zero, !isCancelled() else {
        throw Failure(description: "the address of \(host) was not found in time (is its name server reachable?)")
      }
      _ = look.condition.wait(until: Date(timeIntervalSinceNow: min(left / .seconds(1), 0.05)))
    }
  }

  private func start(_ look: Running, _ host: String) {
    NamedThread.start(named: "resolver") {
      let result = self.lookUp(host)
      self.running.withLock { $0[host] = nil }
      look.condition.lock()
      look.result = result
      look.condition.broadcast()
      look.condition.unlock()
    }
  }

  private static func isAddress(_ host: String) -> Bool {
    var (four, six) = (in_addr(), in6_addr())
    return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
  }

  private static func systemLookUp(_ host: String) -> Result<[String], Failure> {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else {
      return .failure(
        Failure(description: "the address of \(host) was not found: \(String(cString: gai_strerror(code)))"))
    }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next?.pointee {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      if getnameinfo(
        entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
      {
        addresses.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
      }
      next = entry.ai_next
    }
    return addresses.isEmpty ? .failure(Failure(description: "\(host) has no address")) : .success(addresses)
  }
}
