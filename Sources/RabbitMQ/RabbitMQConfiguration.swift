internal import Foundation

/// Where the RabbitMQ nodes are and how to log in.
public struct RabbitMQConfiguration: Sendable {
  /// One node of a cluster.
  public struct Host: Sendable, Equatable {
    /// Host name or address.
    public let name: String
    /// TCP port, 5672 where the URL names none.
    public let port: Int
  }

  /// The nodes, tried in random order.
  public let hosts: [Host]
  /// The virtual host, `/` by default.
  public let virtualHost: String
  /// Login name, `guest` by default.
  public let user: String
  /// Password. Never logged.
  public let password: String
  /// Heartbeat interval; a peer silent for twice as long is given up. 10 s: RabbitMQ's guide advises 5 to 20.
  public var heartbeat: Duration = .seconds(10)
  /// How long connecting and logging in may take, per host.
  public var connectTimeout: Duration = .seconds(5)

  /// `host:port` of every node: safe to show.
  public var serverName: String { hosts.map { "\($0.name):\($0.port)" }.joined(separator: ",") }

  /// Reads `amqp://user:password@host:port[,host:port...]/vhost`; throws ``RabbitMQError/invalidURL(_:)``.
  public init(url: String) throws(RabbitMQError) {
    guard url.hasPrefix("amqp://") else {
      throw .invalidURL("it does not begin with amqp://; expected amqp://user:password@host:port/vhost")
    }
    let rest = url.dropFirst("amqp://".count)
    let authorityEnd = rest.firstIndex(of: "/") ?? rest.endIndex
    var authority = rest[..<authorityEnd]
    let path = rest[authorityEnd...].dropFirst()
    var login = (user: "guest", password: "guest")
    if let at = authority.lastIndex(of: "@") {
      let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      login.user = try Self.decoded(parts[0], "user")
      if parts.count > 1 { login.password = try Self.decoded(parts[1], "password") }
      authority = authority[authority.index(after: at)...]
    }
    var hosts: [Host] = []
    for part in authority.split(separator: ",") { hosts.append(try Self.host(part)) }
    guard !hosts.isEmpty else { throw .invalidURL("it names no host; expected amqp://user:password@host:port/vhost") }
    self.hosts = hosts
    user = login.user
    password = login.password
    virtualHost = path.isEmpty ? "/" : try Self.decoded(path, "virtual host")
  }

  private static func host(_ text: Substring) throws(RabbitMQError) -> Host {
    if text.hasPrefix("["), let end = text.lastIndex(of: "]") {  // an IPv6 address
      let port = text[text.index(after: end)...]
      guard let number = port.isEmpty ? 5672 : Int(port.dropFirst()), (1...65535).contains(number) else {
        throw .invalidURL("its host part is not [address]:port with a port of 1 to 65535")
      }
      return Host(name: String(text[text.index(after: text.startIndex)..<end]), port: number)
    }
    guard let colon = text.lastIndex(of: ":") else { return Host(name: String(text), port: 5672) }
    guard let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port), colon > text.startIndex else {
      // What stands there may be a password with a slash in it: it is not repeated.
      throw .invalidURL("its host part is not host:port with a port of 1 to 65535 (a password's / is written %2F)")
    }
    return Host(name: String(text[..<colon]), port: port)
  }

  private static func decoded(_ text: Substring, _ what: String) throws(RabbitMQError) -> String {
    guard let plain = text.removingPercentEncoding, !plain.utf8.contains(0) else {
      throw .invalidURL("its \(what) has a wrong percent escape")
    }
    return plain
  }
}
