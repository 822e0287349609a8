/// One row of a ``PostgresResult``.
public struct PostgresRow: Sendable {
  let result: PostgresResult
  let row: Int32

  /// Reads a column that cannot be NULL.
  ///
  /// Throws ``PostgresError/decoding(column:expected:found:)`` for NULL, for a value of another type, and where the
  /// result has no column of that name.
  public func decode<Value: PostgresDecodable>(
    _ column: some PostgresColumn, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value {
    guard let value = try decodeIfPresent(column, as: type) else { throw error(column, type, found: "NULL") }
    return value
  }

  /// Reads a column; nil for NULL.
  public func decodeIfPresent<Value: PostgresDecodable>(
    _ column: some PostgresColumn, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value? {
    guard let number = column.number(in: result) else { throw error(column, type, found: "no such column") }
    guard let bytes = result.bytes(row: row, column: number) else { return nil }
    let columnType = result.columnType(number)
    guard Value.postgresTypes.contains(columnType) else {
      throw error(column, type, found: "the type with OID \(columnType)")
    }
    guard let value = Value(postgresBytes: bytes) else { throw error(column, type, found: "malformed bytes") }
    return value
  }

  /// Reads a column that holds the raw values of an enum; a value that the enum does not have is an error.
  public func decode<Value: RawRepresentable>(
    _ column: some PostgresColumn, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value where Value.RawValue: PostgresDecodable {
    guard let value = try decodeIfPresent(column, as: type) else { throw error(column, type, found: "NULL") }
    return value
  }

  /// Reads a column that holds the raw values of an enum; nil for NULL, an error for a value that the enum does not
  /// have.
  public func decodeIfPresent<Value: RawRepresentable>(
    _ column: some PostgresColumn, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value? where Value.RawValue: PostgresDecodable {
    guard let rawValue = try decodeIfPresent(column, as: Value.RawValue.self) else { return nil }
    guard let value = Value(rawValue: rawValue) else { throw error(column, type, found: "an unknown value") }
    return value
  }

  private func error(_ column: some PostgresColumn, _ type: any Any.Type, found: String) -> PostgresError {
    .decoding(column: "\(column)", expected: "\(type)", found: found)
  }
}

/// How a column is named: by its name, or by its number, from 0.
public protocol PostgresColumn {
  /// The column's number in the result; nil: no such column.
  func number(in result: PostgresResult) -> Int?
}

extension Int: PostgresColumn {
  /// The column itself; nil where the result has no such column.
  public func number(in result: PostgresResult) -> Int? { (0..<result.columnCount).contains(self) ? self : nil }
}

extension String: PostgresColumn {
  /// The first column of that name; nil where the result has none.
  public func number(in result: PostgresResult) -> Int? { result.columnNumber(self) }
}
