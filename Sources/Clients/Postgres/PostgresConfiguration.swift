internal import CLibPQ
internal import Foundation

/// A PostgreSQL server's URL and its timeouts.
package struct PostgresConfiguration: Sendable {
  /// The connection URL in libpq's form (`postgres://user:password@host:port/database`).
  ///
  /// Holds a password: never log it; log ``serverName``.
  package var url: String
  /// The name shown in `pg_stat_activity`.
  package var applicationName: String
  /// How long one attempt to connect may take. Default 5 s.
  package var connectTimeout: Duration
  /// How long a statement may wait for a lock; then the server refuses it with `55P03`. Default 5 s.
  package var lockTimeout: Duration
  /// How long a transaction of this client may stay idle before the server ends its session (`25P03`) and so frees its
  /// locks. Default 35 s.
  ///
  /// A client that is stopped, or whose host is gone, holds its locks no longer than this. A living one never reaches
  /// it: a transaction takes no statement after its deadline, and one whose deadline is further away sets a longer
  /// bound for itself.
  package var idleInTransactionTimeout: Duration

  /// `host:port/database` of the URL: safe to log.
  package let serverName: String

  /// Checks the URL; throws ``PostgresError/invalidURL(_:)`` with what is wrong with it.
  package init(
    url: String, applicationName: String = "vluma", connectTimeout: Duration = .seconds(5),
    lockTimeout: Duration = .seconds(5), idleInTransactionTimeout: Duration = .seconds(35)
  ) throws(PostgresError) {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme else {
      throw .invalidURL("it is not a URL; expected postgres://user:password@host:port/database")
    }
    guard scheme == "postgres" || scheme == "postgresql" else {
      throw .invalidURL("its scheme is \"\(scheme)\"; expected postgres://user:password@host:port/database")
    }
    guard let host = parts.host, !host.isEmpty else {
      throw .invalidURL("it names no host; expected postgres://user:password@host:port/database")
    }
    // libpq's error message may quote the password, so it is not repeated.
    guard let options = PQconninfoParse(url, nil) else {
      throw .invalidURL("libpq cannot read it; write special characters as percent escapes")
    }
    PQconninfoFree(options)
    self.url = url
    self.applicationName = applicationName
    self.connectTimeout = connectTimeout
    self.lockTimeout = lockTimeout
    self.idleInTransactionTimeout = idleInTransactionTimeout
    serverName = "\(host):\(parts.port ?? 5432)\(parts.path)"
  }
}
