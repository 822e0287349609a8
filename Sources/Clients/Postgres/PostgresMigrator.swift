internal import Crypto
internal import Foundation

/// A change of the database's shape, applied once and never edited afterwards.
package struct PostgresMigration: Sendable {
  /// Unique, and in the order of application: `0001_jobs`.
  package let name: String
  /// Statements for the simple protocol; they run in one transaction.
  package let sql: String
  /// Tables that it changes while running processes use them. They are locked first, all of them, in tries of 100 ms with
  /// a second between: nobody waits behind a migration that waits itself.
  package let locking: [String]

  /// Takes the program's own text: names go into statements as they are, so they must not hold a quote.
  package init(name: String, sql: String, locking: [String] = []) {
    self.name = name
    self.sql = sql
    self.locking = locking
  }

  /// Takes the bytes of an embedded `.sql` file.
  package init(name: String, bytes: [UInt8], locking: [String] = []) {
    self.init(name: name, sql: String(decoding: bytes, as: UTF8.self), locking: locking)
  }

  /// Takes the locks; empty where none are wanted. No part of what must never be edited: it leaves nothing behind.
  fileprivate var lockStatements: String {
    guard !locking.isEmpty else { return "" }
    return """
      DO $$
      BEGIN
        LOOP
          BEGIN
            SET LOCAL lock_timeout = '100ms';
            LOCK TABLE \(locking.joined(separator: ", ")) IN ACCESS EXCLUSIVE MODE;
            EXIT;
          EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
          END;
        END LOOP;
      END $$;
      """
  }
}

/// Applies migrations in order, each once, whoever else is doing the same at that moment (an advisory lock lets one
/// through).
package struct PostgresMigrator: Sendable {
  private let configuration: PostgresConfiguration
  private let migrations: [PostgresMigration]
  /// Arbitrary, and the same in every process of the platform: the letters "vluma".
  private static let lockKey = 0x76_6c_75_6d_61

  /// Prepares to apply `migrations` in the order given.
  package init(_ configuration: PostgresConfiguration, migrations: [PostgresMigration]) {
    self.configuration = configuration
    self.migrations = migrations
  }

  /// What stands in the way of migrating.
  package enum Failure: Error, CustomStringConvertible {
    /// A migration that was applied has another text now.
    case edited(name: String)
    /// The server refused a migration; its words quote only the migration.
    case refused(name: String, reason: String)

    /// A sentence that is safe to log: the server's words in it quote the migration, not data.
    package var description: String {
      switch self {
      case .edited(let name):
        "migration \(name) was applied with another text than this program carries: restore it and add a new migration instead"
      case .refused(let name, let reason): "migration \(name) failed and was rolled back: \(reason)"
      }
    }
  }

  /// The names of the migrations that this database still lacks, in order.
  package func pending() async throws -> [String] {
    let connection = try await PostgresConnection.connect(configuration)
    let exists: Bool = try await connection.query("SELECT to_regclass('public.schema_migration') IS NOT NULL")[0]
      .decode(0)
    let applied = exists ? try await appliedChecksums(connection) : [:]
    await connection.close()
    return try unapplied(applied).map(\.name)
  }

  /// Applies what is missing and returns the names of what it applied.
  package func migrate() async throws -> [String] {
    let connection = try await PostgresConnection.connect(configuration)
    let deadline = ContinuousClock.now + .seconds(600)
    try await connection.query("SET lock_timeout = 0")
    try await connection.query("SELECT pg_advisory_lock(\(Self.lockKey)::bigint)::text", deadline: deadline)
    try await connection.query(
      """
      CREATE TABLE IF NOT EXISTS public.schema_migration (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
      """)
    let missing = try unapplied(try await appliedChecksums(connection))
    for migration in missing {
      do {
        try await connection.runScript(
          """
          BEGIN; \(migration.lockStatements) \(migration.sql)
          ;
          INSERT INTO public.schema_migration (name, checksum) VALUES ('\(migration.name)', '\(Self.checksum(migration))');
          COMMIT
          """, deadline: deadline)
      } catch let error as PostgresError {
        await connection.close()
        throw Failure.refused(name: migration.name, reason: error.debugDescription)
      }
    }
    await connection.close()  // which releases the lock
    return missing.map(\.name)
  }

  private func appliedChecksums(_ connection: PostgresConnection) async throws -> [String: String] {
    var checksums: [String: String] = [:]
    for row in try await connection.query("SELECT name, checksum FROM public.schema_migration") {
      checksums[try row.decode(0)] = try row.decode(1, as: String.self)
    }
    return checksums
  }

  private func unapplied(_ applied: [String: String]) throws -> [PostgresMigration] {
    try migrations.filter { migration in
      guard let checksum = applied[migration.name] else { return true }
      guard checksum == Self.checksum(migration) else { throw Failure.edited(name: migration.name) }
      return false
    }
  }

  private static func checksum(_ migration: PostgresMigration) -> String {
    SHA256.hash(data: Data(migration.sql.utf8)).map { String(format: "%02x", $0) }.joined()
  }
}
