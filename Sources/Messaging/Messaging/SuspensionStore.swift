package import Foundation
package import Postgres
package import WhatsApp

/// Numbers, templates and accounts whose messages are not sent for the time being, because WhatsApp refuses them.
package struct SuspensionStore: Sendable {
  package init() {}

  /// The database's clock, by which suspensions begin and end on all nodes.
  package func now(in transaction: PostgresTransaction) async throws -> Date {
    try await transaction.query("SELECT clock_timestamp()")[0].decode(0)
  }

  /// Adds a suspension, or makes it longer. A suspension is never made shorter.
  package func put(_ suspension: Suspension, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      """
      INSERT INTO messaging.suspension (scope, key, until, error_code)
      VALUES (\(suspension.scope.rawValue), \(suspension.key), \(suspension.until), \(suspension.code))
      ON CONFLICT (scope, key) DO UPDATE SET until = excluded.until, error_code = excluded.error_code
        WHERE suspension.until < excluded.until
      """)
  }

  /// Reserves the probe of a suspension whose time is over: true for one caller. After `seconds` another one may probe.
  package func probe(
    _ suspension: Suspension, for seconds: Int, in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.suspension SET until = clock_timestamp() + make_interval(secs => \(seconds))
      WHERE scope = \(suspension.scope.rawValue) AND key = \(suspension.key) AND until <= clock_timestamp()
      """
    ).affectedRows == 1
  }

  package func lift(
    _ suspensions: [(scope: ErrorPolicy.Scope, key: String)], in transaction: PostgresTransaction
  ) async throws {
    guard !suspensions.isEmpty else { return }
    try await transaction.query(
      """
      DELETE FROM messaging.suspension
      USING unnest(\(suspensions.map(\.scope.rawValue))::text[], \(suspensions.map(\.key))::text[])
        AS lifted (scope, key) WHERE suspension.scope = lifted.scope AND suspension.key = lifted.key
      """)
  }

  /// All suspensions, and when each began.
  package func all(in pool: PostgresConnectionPool) async throws -> [(suspension: Suspension, since: Date)] {
    try await pool.query("SELECT scope, key, until, error_code, since FROM messaging.suspension ORDER BY since")
      .map { row in
        let suspension = Suspension(
          scope: try row.decode("scope"), key: try row.decode("key"), until: try row.decode("until"),
          code: try row.decode("error_code"))
        return (suspension, try row.decode("since"))
      }
  }

  /// The key of a template's suspension.
  package static func key(template name: String, language: String, account: String) -> String {
    "\(account)|\(name)|\(language)"
  }
}
