internal import Foundation

/// The private servers that `scripts/services up` starts, as the environment names them.
package enum TestEnvironment {
  /// RabbitMQ, from `VLUMA_RABBITMQ_URL`.
  package static func rabbitMQ() throws -> ServerURL { try ServerURL(variable: "VLUMA_RABBITMQ_URL") }

  /// PostgreSQL, from `VLUMA_POSTGRES_URL`.
  package static func postgres() throws -> ServerURL { try ServerURL(variable: "VLUMA_POSTGRES_URL") }

  /// Redis, from `VLUMA_REDIS_URL`.
  package static func redis() throws -> ServerURL { try ServerURL(variable: "VLUMA_REDIS_URL") }

  /// A name that no other test uses: letters, digits and underscores.
  package static func uniqueName(_ prefix: String) -> String {
    prefix + "_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
  }
}

/// Thrown where a test needs a server that the environment does not name.
package struct ServerMissing: Error, CustomStringConvertible {
  /// Why, and what to do about it.
  package let description: String
}

/// A server's URL and the parts of it that tests need.
package struct ServerURL: Sendable {
  /// The URL as the environment gave it.
  package let string: String
  /// The host's name or address.
  package let host: String
  /// The TCP port.
  package let port: Int

  init(variable: String) throws {
    let start = "run scripts/services up, then: eval \"$(scripts/services env)\""
    guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else {
      throw ServerMissing(description: "\(variable) is not set: this test needs a real server; \(start)")
    }
    try self.init(string: text, name: variable)
  }

  private init(string text: String, name variable: String) throws {
    let start = "run scripts/services up, then: eval \"$(scripts/services env)\""
    guard let parts = URLComponents(string: text), let host = parts.host, let port = parts.port else {
      throw ServerMissing(description: "\(variable) is not scheme://host:port/...; \(start)")
    }
    (string, self.host, self.port) = (text, host, port)
  }

  /// The same URL with some of its parts replaced.
  package func with(user: String? = nil, password: String? = nil, port: Int? = nil, path: String? = nil) -> String {
    guard var parts = URLComponents(string: string) else { return string }
    if let user { parts.user = user }
    if let password { parts.password = password }
    if let port { parts.port = port }
    if let path { parts.path = path }
    return parts.string ?? string
  }

  /// The same kind of server on another port.
  package func onPort(_ port: Int) throws -> ServerURL { try ServerURL(string: with(port: port), name: "URL") }

  /// A proxy in front of the server.
  package func proxy() throws -> TCPProxy { try TCPProxy(to: host, port: port) }
}
