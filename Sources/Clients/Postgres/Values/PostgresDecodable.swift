public import Foundation

/// A type that can be read from a result column in PostgreSQL's binary format.
public protocol PostgresDecodable: Sendable {
  /// The OIDs of the built-in types (pg_type.dat) whose binary format this type reads.
  static var postgresTypes: Set<UInt32> { get }
  /// nil: the bytes are no value of this type.
  init?(postgresBytes bytes: UnsafeRawBufferPointer)
}

extension String: PostgresDecodable {
  /// text, varchar, bpchar, name, "char", json, unknown. (Cast `jsonb` to `text`: its binary form has a version byte.)
  public static var postgresTypes: Set<UInt32> { [25, 1043, 1042, 19, 18, 114, 705] }

  /// Any bytes are text.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) { self = String(decoding: bytes, as: UTF8.self) }
}

extension Int: PostgresDecodable {
  /// smallint, integer, bigint.
  public static var postgresTypes: Set<UInt32> { [21, 23, 20] }

  /// Reads 2, 4 or 8 bytes; nil for any other length.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) {
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
  public static var postgresTypes: Set<UInt32> { [16] }

  /// Reads one byte; nil for any other length.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 1 else { return nil }
    self = bytes[0] != 0
  }
}

extension Double: PostgresDecodable {
  /// double precision.
  public static var postgresTypes: Set<UInt32> { [701] }

  /// Reads 8 bytes; nil for any other length.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 8 else { return nil }
    self = Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
  }
}

extension UUID: PostgresDecodable {
  /// uuid.
  public static var postgresTypes: Set<UInt32> { [2950] }

  /// Reads 16 bytes; nil for any other length.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 16 else { return nil }
    self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }
}

extension Data: PostgresDecodable {
  /// bytea.
  public static var postgresTypes: Set<UInt32> { [17] }

  /// Takes the bytes as they are.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) { self = Data(bytes) }
}

extension Date: PostgresDecodable {
  /// timestamptz.
  public static var postgresTypes: Set<UInt32> { [1184] }

  /// Microseconds since 2000-01-01 UTC. The infinities become the distant past and future.
  public init?(postgresBytes bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 8 else { return nil }
    let micros = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    switch micros {
    case .max: self = .distantFuture
    case .min: self = .distantPast
    default: self = Date(timeIntervalSince1970: 946_684_800 + Double(micros) / 1_000_000)
    }
  }
}
