/// A change of the database's schema, applied once and never edited afterwards.
package struct PostgresMigration: Sendable {
  /// Unique, and in the order of application: `0001_jobs`.
  package let name: String
  /// Statements for the simple protocol; they run in one transaction.
  package let sql: String
  /// Tables that it changes while running processes use them. All are locked first, in attempts of 100 ms a second
  /// apart: statements that queue behind a waiting lock wait 100 ms at most.
  package let locking: [String]

  /// - Parameter name: becomes part of a statement unquoted, so it must not hold a quote.
  package init(name: String, sql: String, locking: [String] = []) {
    self.name = name
    self.sql = sql
    self.locking = locking
  }

  /// - Parameter bytes: an embedded `.sql` file.
  package init(name: String, bytes: [UInt8], locking: [String] = []) {
    self.init(name: name, sql: String(decoding: bytes, as: UTF8.self), locking: locking)
  }

  /// Locks the tables; empty where ``locking`` is. It is not part of the checksum, for it changes nothing.
  var lockStatements: String {
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
