internal import CLibPQ
internal import Synchronization

/// The rows of one statement, in libpq's memory, which this object owns and frees.
///
/// `@unchecked Sendable`: a PGresult is immutable once received, and libpq documents reading it from several threads as
/// safe; it is freed once, with the last reference.
public final class PostgresResult: @unchecked Sendable, RandomAccessCollection {
  private let result: OpaquePointer
  /// Column numbers by name; nil until the first lookup.
  private let columns = Mutex<[String: Int]?>(nil)

  init(owning result: OpaquePointer) { self.result = result }

  deinit { PQclear(result) }

  /// 0.
  public var startIndex: Int { 0 }
  /// The number of rows.
  public var endIndex: Int { Int(PQntuples(result)) }

  /// A row; its values are copied when they are decoded.
  public subscript(row: Int) -> PostgresRow { PostgresRow(result: self, row: Int32(row)) }

  /// How many rows an INSERT, UPDATE or DELETE touched.
  public var affectedRows: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

  /// The server's command tag, such as `COMMIT`.
  var commandTag: String { String(cString: PQcmdStatus(result)) }

  var commits: Bool { commandTag == "COMMIT" }

  /// One value's bytes in binary format; nil for NULL.
  func bytes(row: Int32, column: Int) -> UnsafeRawBufferPointer? {
    let column = Int32(column)
    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return nil }
    return UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
  }

  var columnCount: Int { Int(PQnfields(result)) }

  /// The OID of a column's type.
  func columnType(_ column: Int) -> UInt32 { PQftype(result, Int32(column)) }

  /// The number of the first column of that name; nil: there is none.
  func columnNumber(_ name: String) -> Int? {
    columns.withLock { columns in
      if let columns { return columns[name] }
      let names = (0..<PQnfields(result)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
      let numbers = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
      columns = numbers
      return numbers[name]
    }
  }
}
