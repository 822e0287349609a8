internal import CLibPQ
internal import Foundation

/// Where a PostgreSQL server is and how patient to be with it.
package struct PostgresConfiguration: Sendable {
  /// The connection URL, handed to libpq as it is (`postgres://user:password@host:port/database`).
  ///
  /// Holds a password: never log it. ``serverName`` is what may be shown.
  package var url: String
  /// The name shown in `pg_stat_activity`.
  package var applicationName: String
  /// How long one attempt to connect may take. Default 5 s.
  package var connectTimeout: Duration
  /// How long the server may wait for a lock before it gives up with `55P03`. Default 5 s.
  package var lockTimeout: Duration

  /// `host:port/database` of the URL: safe to show.
  package let serverName: String

  /// Checks the URL's shape and keeps it; throws ``PostgresError/invalidURL(_:)`` with what is wrong with it.
  package init(
    url: String, applicationName: String = "vluma", connectTimeout: Duration = .seconds(5),
    lockTimeout: Duration = .seconds(5)
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
    // libpq's own words may quote the password, so they are not repeated.
    guard let options = PQconninfoParse(url, nil) else {
      throw .invalidURL("libpq cannot read it; write special characters as percent escapes")
    }
    PQconninfoFree(options)
    self.url = url
    self.applicationName = applicationName
    self.connectTimeout = connectTimeout
    self.lockTimeout = lockTimeout
    serverName = "\(host):\(parts.port ?? 5432)\(parts.path)"
  }
}
