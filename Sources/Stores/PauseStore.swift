public import Foundation
public import Postgres
public import WhatsApp

/// What is not sent for the time being, because WhatsApp refuses it all.
public struct PauseStore: Sendable {
  /// Uses whatever connection its methods are given.
  public init() {}

  /// The database's clock, by which pauses begin and end on all nodes.
  public func now(in transaction: PostgresTransaction) async throws -> Date {
    try await transaction.query("SELECT clock_timestamp()")[0].decode(0)
  }

  /// Stops a scope until `until`. A pause that is there already is never made shorter: the graver reason stays.
  public func put(_ pause: SendPause, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      """
      INSERT INTO whatsapp.pause (scope, key, until, code)
      VALUES (\(pause.scope.rawValue), \(pause.key), \(pause.until), \(pause.code))
      ON CONFLICT (scope, key) DO UPDATE SET until = excluded.until, code = excluded.code
        WHERE pause.until < excluded.until
      """)
  }

  /// Takes the right to try a pause that is over: true for one caller, who has `seconds` before another may.
  public func probe(_ pause: SendPause, for seconds: Int, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE whatsapp.pause SET until = clock_timestamp() + make_interval(secs => \(seconds))
      WHERE scope = \(pause.scope.rawValue) AND key = \(pause.key) AND until <= clock_timestamp()
      """
    ).affectedRows == 1
  }

  /// Lifts pauses.
  public func lift(_ pauses: [(scope: SendVerdict.Scope, key: String)], in transaction: PostgresTransaction)
    async throws
  {
    guard !pauses.isEmpty else { return }
    try await transaction.query(
      """
      DELETE FROM whatsapp.pause USING unnest(\(pauses.map(\.scope.rawValue))::text[], \(pauses.map(\.key))::text[])
        AS gone (scope, key) WHERE pause.scope = gone.scope AND pause.key = gone.key
      """)
  }

  /// All pauses, for the operator, with the instant each began.
  public func all(in pool: PostgresPool) async throws -> [(pause: SendPause, since: Date)] {
    try await pool.query("SELECT scope, key, until, code, since FROM whatsapp.pause ORDER BY since").compactMap { row in
      guard let scope = SendVerdict.Scope(rawValue: try row.decode(0)) else { return nil }
      let pause = SendPause(
        scope: scope, key: try row.decode(1), until: try row.decode(2), code: try row.decode(3))
      return (pause, try row.decode(4))
    }
  }

  /// The key of a template's pause.
  public static func key(template name: String, language: String, account: String) -> String {
    "\(account)|\(name)|\(language)"
  }
}
