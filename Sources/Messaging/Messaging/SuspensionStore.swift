package import Foundation
package import Postgres
package import WhatsApp

/// What is not sent for the time being, because WhatsApp refuses it all.
package struct SuspensionStore: Sendable {
  /// Uses whatever connection its methods are given.
  package init() {}

  /// The database's clock, by which suspensions begin and end on all nodes.
  package func now(in transaction: PostgresTransaction) async throws -> Date {
    try await transaction.query("SELECT clock_timestamp()")[0].decode(0)
  }

  /// Stops a scope until `until`. A suspension that is there already is never made shorter: the graver reason stays.
  package func put(_ suspension: Suspension, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      """
      INSERT INTO messaging.suspension (scope, key, until, error_code)
      VALUES (\(suspension.scope.rawValue), \(suspension.key), \(suspension.until), \(suspension.code))
      ON CONFLICT (scope, key) DO UPDATE SET until = excluded.until, error_code = excluded.error_code
        WHERE suspension.until < excluded.until
      """)
  }

  /// Takes the right to try a suspension that is over: true for one caller, who has `seconds` before another may.
  package func probe(_ suspension: Suspension, for seconds: Int, in transaction: PostgresTransaction) async throws
    -> Bool
  {
    try await transaction.query(
      """
      UPDATE messaging.suspension SET until = clock_timestamp() + make_interval(secs => \(seconds))
      WHERE scope = \(suspension.scope.rawValue) AND key = \(suspension.key) AND until <= clock_timestamp()
      """
    ).affectedRows == 1
  }

  /// Lifts suspensions.
  package func lift(_ suspensions: [(scope: ErrorPolicy.Scope, key: String)], in transaction: PostgresTransaction)
    async throws
  {
    guard !suspensions.isEmpty else { return }
    try await transaction.query(
      """
      DELETE FROM messaging.suspension USING unnest(\(suspensions.map(\.scope.rawValue))::text[], \(suspensions.map(\.key))::text[])
        AS gone (scope, key) WHERE suspension.scope = gone.scope AND suspension.key = gone.key
      """)
  }

  /// All suspensions, for the operator, with the instant each began.
  package func all(in pool: PostgresConnectionPool) async throws -> [(suspension: Suspension, since: Date)] {
    try await pool.query("SELECT scope, key, until, error_code, since FROM messaging.suspension ORDER BY since")
      .compactMap { row in
        guard let scope = ErrorPolicy.Scope(rawValue: try row.decode(0)) else { return nil }
        let suspension = Suspension(
          scope: scope, key: try row.decode(1), until: try row.decode(2), code: try row.decode(3))
        return (suspension, try row.decode(4))
      }
  }

  /// The key of a template's suspension.
  package static func key(template name: String, language: String, account: String) -> String {
    "\(account)|\(name)|\(language)"
  }
}
