internal import ClientLoop
public import Foundation

/// A type whose arrays can be bound parameters.
public protocol PostgresArrayElement: Sendable {
  /// The element of an array literal, quoted where it must be.
  var postgresArrayText: String { get }
}

extension String: PostgresArrayElement {
  /// The text in double quotes, with `"` and `\` escaped (PostgreSQL's manual, 8.15.6).
  public var postgresArrayText: String {
    var quoted = "\""
    for scalar in unicodeScalars {
      if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}

extension Int: PostgresArrayElement {
  /// Decimal digits, which need no quotes.
  public var postgresArrayText: String { String(self) }
}

extension Bool: PostgresArrayElement {
  /// `t` or `f`, which need no quotes.
  public var postgresArrayText: String { self ? "t" : "f" }
}

extension UUID: PostgresArrayElement {
  /// The usual 36 characters, which need no quotes.
  public var postgresArrayText: String { uuidString }
}

extension Date: PostgresArrayElement {
  /// The instant to the microsecond, in double quotes; before year 1 and after 9999 an infinity.
  public var postgresArrayText: String { "\"\(postgresTimestamp)\"" }
}

extension Data: PostgresArrayElement {
  /// The bytes in `bytea`'s hex format.
  public var postgresArrayText: String {
    "\"\\\\x\(hexEncoded)\""
  }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
  /// The element, or `NULL` without quotes for nil.
  public var postgresArrayText: String { self?.postgresArrayText ?? "NULL" }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
  /// An array literal; give it its type with a cast, such as `::uuid[]`.
  public var postgresParameter: PostgresParameter {
    .text("{" + map(\.postgresArrayText).joined(separator: ",") + "}")
  }
}
