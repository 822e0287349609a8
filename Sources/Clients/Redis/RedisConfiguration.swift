internal import Foundation

/// A Redis server's address and login.
package struct RedisConfiguration: Sendable {
  /// Host name or address.
  package let host: String
  /// TCP port; 6379 where the URL names none.
  package let port: Int
  /// The user of an ACL; nil: the default user.
  package let user: String?
  /// nil: no login. Never log it.
  package let password: String?
  /// The database's number; 0 where the URL has none.
  package let database: Int

  /// `host:port`: safe to log.
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
