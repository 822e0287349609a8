internal import Foundation

/// Where a Redis server is.
package struct RedisConfiguration: Sendable {
  /// Host name or address.
  package let host: String
  /// TCP port; 6379 where the URL names none.
  package let port: Int
  /// The user of an ACL, or nil.
  package let user: String?
  /// The password, or nil. Never logged.
  package let password: String?
  /// The database's number, 0 by default.
  package let database: Int

  /// `host:port`: safe to show.
  package var serverName: String { "\(host):\(port)" }

  /// Reads `redis://[user:password@]host[:port][/database]`; throws ``RedisError/invalidURL(_:)``.
  package init(url: String) throws(RedisError) {
    guard let parts = URLComponents(string: url), parts.scheme != nil else {
      throw .invalidURL("it is not a URL; expected redis://host:port")
    }
    guard parts.scheme == "redis" else {
      throw .invalidURL("its scheme is \"\(parts.scheme ?? "")\"; expected redis:// (TLS is not supported)")
    }
    guard let host = parts.host, !host.isEmpty else {
      throw .invalidURL("it names no host; expected redis://host:port")
    }
    let path = parts.path.drop { $0 == "/" }
    guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else {
      throw .invalidURL("its path \"\(path)\" is not a database number")
    }
    self.host = host
    self.port = parts.port ?? 6379
    self.user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
    self.password = parts.password
    self.database = database
  }
}

/// What can go wrong between this process and Redis. `description` is safe to log.
package enum RedisError: Error, Equatable, CustomStringConvertible {
  /// The URL cannot be used; the text says why.
  case invalidURL(String)
  /// The named server could not be reached, or is not ready yet; the reason is the client library's words.
  case connectionFailed(server: String, reason: String)
  /// The named server answered and refused user, password or database; of its answer only the first word is kept.
  case loginRefused(server: String, reason: String)
  /// There is no connection now; the command was not sent.
  case unavailable
  /// The connection broke after the command was sent: it may or may not have taken effect.
  case connectionLost
  /// No reply came in time: the command may or may not have taken effect.
  case deadlineExceeded
  /// The server refused the command; only the error's first word is kept, for the rest may quote arguments.
  case refused(String)

  /// A sentence that is safe to log: it holds no argument of a command, and of the URL at most the scheme and the path.
  package var description: String {
    switch self {
    case .invalidURL(let why): "the Redis URL cannot be used: \(why)"
    case .connectionFailed(let server, let reason): "cannot connect to Redis at \(server): \(reason)"
    case .loginRefused(let server, let reason): "Redis at \(server) refused the login: \(reason)"
    case .unavailable: "Redis is not connected"
    case .connectionLost: "the connection to Redis was lost"
    case .deadlineExceeded: "Redis did not answer in time"
    case .refused(let code): "Redis refused a command (\(code))"
    }
  }
}
