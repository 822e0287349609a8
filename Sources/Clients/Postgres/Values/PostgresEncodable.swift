public import Foundation

/// A bound value as it is sent.
public enum PostgresParameter: Sendable, Equatable {
  case null
  /// The value in PostgreSQL's text format; the server parses it as the parameter's type.
  case text(String)
  /// The value in PostgreSQL's binary format for exactly the parameter's type.
  case binary(Data)
}

/// A type that can be a bound parameter.
public protocol PostgresEncodable: Sendable {
  var postgresParameter: PostgresParameter { get }
}

extension String: PostgresEncodable {
  /// The text itself, for parameters of any type the server can read from text. It ends before U+0000,
  /// which PostgreSQL's text cannot hold.
  public var postgresParameter: PostgresParameter { .text(self) }
}

extension Int: PostgresEncodable {
  /// Decimal digits, for `smallint`, `integer` and `bigint`; the server refuses what is out of the type's range.
  public var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Double: PostgresEncodable {
  /// The shortest digits that read back as the same number, for `double precision`; NaN and the infinities are kept.
  public var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Bool: PostgresEncodable {
  /// `t` or `f`, for `boolean`.
  public var postgresParameter: PostgresParameter { .text(self ? "t" : "f") }
}

extension UUID: PostgresEncodable {
  /// The usual 36 characters, for `uuid`.
  public var postgresParameter: PostgresParameter { .text(uuidString) }
}

extension Data: PostgresEncodable {
  /// For `bytea` parameters.
  public var postgresParameter: PostgresParameter { .binary(self) }
}

extension Date: PostgresEncodable {
  /// For `timestamptz` parameters, to the microsecond.
  public var postgresParameter: PostgresParameter { .text(postgresTimestamp) }
}
