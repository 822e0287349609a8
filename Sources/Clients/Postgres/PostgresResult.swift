internal import CLibPQ
package import Foundation

/// The rows one statement returned, still in libpq's memory, which this object owns and frees.
///
/// `@unchecked Sendable`: a PGresult is immutable once received, and libpq documents reading it from several threads as
/// safe; it is freed once, when the last reference goes.
package final class PostgresResult: @unchecked Sendable, RandomAccessCollection {
  fileprivate var pointer: OpaquePointer { result }
  private let result: OpaquePointer

  init(owning result: OpaquePointer) { self.result = result }

  deinit { PQclear(result) }

  /// 0, also where there are no rows.
  package var startIndex: Int { 0 }
  /// The number of rows; 0 for a statement that returns none.
  package var endIndex: Int { Int(PQntuples(result)) }

  /// The row at that place, which must lie before ``endIndex``. Nothing is copied; its values are read when asked for.
  package subscript(row: Int) -> PostgresRow { PostgresRow(result: self, row: Int32(row)) }

  /// How many rows an INSERT, UPDATE or DELETE touched.
  package var affectedRows: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

  /// The server's command tag, such as `COMMIT`.
  var commandTag: String { String(cString: PQcmdStatus(result)) }

  /// One value's bytes in binary format; nil for NULL.
  func bytes(row: Int32, column: Int32) -> UnsafeRawBufferPointer? {
    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return nil }
    return UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
  }

  var columnCount: Int32 { PQnfields(result) }
}

/// One row of a ``PostgresResult``.
package struct PostgresRow: Sendable {
  fileprivate let result: PostgresResult
  fileprivate let row: Int32

  /// Reads a column that cannot be NULL; throws ``PostgresError/decoding(column:expected:)`` where the value is of
  /// another type.
  package func decode<Value: PostgresDecodable>(_ column: Int, as type: Value.Type = Value.self) throws(PostgresError)
    -> Value
  {
    guard let value = try decodeIfPresent(column, as: type) else {
      throw .decoding(column: column, expected: "\(type)")
    }
    return value
  }

  /// Reads a column; nil for NULL.
  package func decodeIfPresent<Value: PostgresDecodable>(
    _ column: Int, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value? {
    precondition(column < Int(result.columnCount), "the row has no column \(column)")
    guard let bytes = result.bytes(row: row, column: Int32(column)) else { return nil }
    guard Value.canDecode(type: PQftype(result.pointer, Int32(column))), let value = Value(postgresBytes: bytes) else {
      throw .decoding(column: column, expected: "\(type)")
    }
    return value
  }
}

/// A type that can be read from a result column in PostgreSQL's binary format.
package protocol PostgresDecodable: Sendable {
  /// The OIDs of the built-in types (pg_type.dat) whose binary format this type reads.
  static var postgresTypes: Set<UInt32> { get }
  /// Reads the value; nil where the bytes are not of this type.
  init?(postgresBytes bytes: UnsafeRawBufferPointer)
}

extension PostgresDecodable {
  fileprivate static func canDecode(type: UInt32) -> Bool { postgresTypes.contains(type) }
}

extension String: PostgresDecodable {
  /// text, varchar, bpchar, name, "char", json, unknown.
  package static var postgresTypes: Set<UInt32> { [25, 1043, 1042, 19, 18, 114, 705] }

  /// For `text`, `varchar`, `name`, `json` and enums. (Cast `jsonb` to `text`: its binary form has a version byte.)
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) { self = String(decoding: bytes, as: UTF8.self) }
}

extension Int: PostgresDecodable {
  /// smallint, integer, bigint.
  package static var postgresTypes: Set<UInt32> { [21, 23, 20] }

  /// For `smallint`, `integer` and `bigint`.
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    switch bytes.count {
    case 2: self = Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    case 4: self = Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    case 8: self = Int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
    default: return nil
    }
  }
}

extension Bool: PostgresDecodable {
  /// boolean.
  package static var postgresTypes: Set<UInt32> { [16] }

  /// For `boolean`: one byte, false where it is 0.
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 1 else { return nil }
    self = bytes[0] != 0
  }
}

extension Double: PostgresDecodable {
  /// double precision.
  package static var postgresTypes: Set<UInt32> { [701] }

  /// For `double precision`.
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 8 else { return nil }
    self = Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
  }
}

extension UUID: PostgresDecodable {
  /// uuid.
  package static var postgresTypes: Set<UInt32> { [2950] }

  /// For `uuid`: its 16 bytes.
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 16 else { return nil }
    self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }
}

extension Data: PostgresDecodable {
  /// bytea.
  package static var postgresTypes: Set<UInt32> { [17] }

  /// For `bytea`.
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) { self = Data(bytes) }
}

extension Date: PostgresDecodable {
  /// timestamptz.
  package static var postgresTypes: Set<UInt32> { [1184] }

  /// For `timestamptz`: microseconds since 2000-01-01 UTC. The infinities become the distant past and future.
  package init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 8 else { return nil }
    let micros = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    switch micros {
    case .max: self = .distantFuture
    case .min: self = .distantPast
    default: self = Date(timeIntervalSince1970: 946_684_800 + Double(micros) / 1_000_000)
    }
  }
}
