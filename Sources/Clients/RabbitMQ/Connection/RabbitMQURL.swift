internal import Foundation

/// A RabbitMQ URL, parsed and percent-decoded (https://www.rabbitmq.com/docs/uri-spec, with several hosts).
///
/// Errors repeat no part of the URL but parameter names and file paths: any other part may contain a misplaced
/// password.
struct RabbitMQURL {
  let isEncrypted: Bool
  let user: String
  let password: String
  let hosts: [RabbitMQConfiguration.Host]
  let virtualHost: String
  let parameters: RabbitMQURLParameters

  init(_ url: String) throws(RabbitMQError) {
    let expected = "expected amqp://user:password@host:port/vhost, or amqps:// for TLS"
    isEncrypted = url.hasPrefix("amqps://")
    guard isEncrypted || url.hasPrefix("amqp://") else {
      throw .invalidURL("it begins neither with amqp:// nor with amqps://; \(expected)")
    }
    let rest = url.dropFirst(isEncrypted ? "amqps://".count : "amqp://".count)
    // A password may hold an at sign or a question mark: the last at sign before the first slash ends the login, and
    // the query begins after it.
    let at = rest[..<(rest.firstIndex(of: "/") ?? rest.endIndex)].lastIndex(of: "@")
    let behindLogin = rest[(at.map { rest.index(after: $0) } ?? rest.startIndex)...]
    let address = behindLogin[..<(behindLogin.firstIndex(of: "?") ?? rest.endIndex)]
    let authority = address[..<(address.firstIndex(of: "/") ?? address.endIndex)]
    let path = address[authority.endIndex...].dropFirst()

    var login = (user: "guest", password: "guest")
    if let at {
      let pieces = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      login.user = try Self.decoded(pieces[0], "user")
      if pieces.count > 1 { login.password = try Self.decoded(pieces[1], "password") }
    }
    (user, password) = login
    var hosts: [RabbitMQConfiguration.Host] = []
    for part in authority.split(separator: ",") {
      hosts.append(try Self.host(part, defaultPort: isEncrypted ? 5671 : 5672))
    }
    guard !hosts.isEmpty else { throw .invalidURL("it names no host; \(expected)") }
    self.hosts = hosts
    virtualHost = path.isEmpty ? "/" : try Self.decoded(path, "virtual host")
    parameters = try RabbitMQURLParameters(rest[address.endIndex...].dropFirst(), isEncrypted: isEncrypted)
  }

  private static func host(
    _ text: Substring, defaultPort: Int
  ) throws(RabbitMQError) -> RabbitMQConfiguration.Host {
    if text.hasPrefix("["), let end = text.lastIndex(of: "]") {  // an IPv6 address
      let port = text[text.index(after: end)...]
      guard let number = port.isEmpty ? defaultPort : Int(port.dropFirst()), (1...65535).contains(number) else {
        throw .invalidURL("its host part is not [address]:port with a port of 1 to 65535")
      }
      return .init(name: String(text[text.index(after: text.startIndex)..<end]), port: number)
    }
    guard let colon = text.lastIndex(of: ":") else { return .init(name: String(text), port: defaultPort) }
    guard let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port), colon > text.startIndex else {
      // This text may be a password with a slash in it: it is not repeated.
      throw .invalidURL("its host part is not host:port with a port of 1 to 65535 (a password's / is written %2F)")
    }
    return .init(name: String(text[..<colon]), port: port)
  }

  static func decoded(_ text: Substring, _ what: String) throws(RabbitMQError) -> String {
    guard let plain = text.removingPercentEncoding, !plain.utf8.contains(0) else {
      throw .invalidURL("its \(what) has a wrong percent escape")
    }
    return plain
  }
}
