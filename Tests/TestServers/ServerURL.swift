internal import Foundation

/// A server's URL and the parts of it that tests need.
package struct ServerURL: Sendable {
  package let string: String
  package let host: String
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
