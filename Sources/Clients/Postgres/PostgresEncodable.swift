package import Foundation

/// A bound value as it goes over the wire.
package enum PostgresParameter: Sendable, Equatable {
  /// SQL NULL.
  case null
  /// The value in PostgreSQL's text format; the server parses it as the parameter's type.
  case text(String)
  /// The value in PostgreSQL's binary format for exactly the parameter's type.
  case binary(Data)
}

/// A type that can be a bound parameter.
package protocol PostgresEncodable: Sendable {
  /// The value as a parameter.
  var postgresParameter: PostgresParameter { get }
}

extension String: PostgresEncodable {
  /// The text itself, for parameters of any type the server can read from text. U+0000, which PostgreSQL's text cannot
  /// hold, ends it.
  package var postgresParameter: PostgresParameter { .text(self) }
}

extension Int: PostgresEncodable {
  /// Decimal digits, for `smallint`, `integer` and `bigint`; the server refuses what is out of the type's range.
  package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Int64: PostgresEncodable {
  /// Decimal digits, for `bigint`.
  package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Double: PostgresEncodable {
  /// The shortest digits that read back as the same number, for `double precision`; NaN and the infinities are kept.
  package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Bool: PostgresEncodable {
  /// `t` or `f`, for `boolean`.
  package var postgresParameter: PostgresParameter { .text(self ? "t" : "f") }
}

extension UUID: PostgresEncodable {
  /// The usual 36 characters, for `uuid`.
  package var postgresParameter: PostgresParameter { .text(uuidString) }
}

extension Data: PostgresEncodable {
  /// For `bytea` parameters.
  package var postgresParameter: PostgresParameter { .binary(self) }
}

extension Date: PostgresEncodable {
  /// For `timestamptz` parameters, to the microsecond.
  package var postgresParameter: PostgresParameter { .text(postgresTimestamp) }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
  /// An array literal; give it its type with a cast, such as `::uuid[]`.
  package var postgresParameter: PostgresParameter {
    .text("{" + map(\.postgresArrayText).joined(separator: ",") + "}")
  }
}

/// A type whose arrays can be bound parameters.
package protocol PostgresArrayElement: Sendable {
  /// The element as it stands in an array literal, quoted where it must be.
  var postgresArrayText: String { get }
}

extension String: PostgresArrayElement {
  /// The text in double quotes, with `"` and `\` escaped (PostgreSQL's manual, 8.15.6).
  package var postgresArrayText: String {
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
  package var postgresArrayText: String { String(self) }
}

extension Bool: PostgresArrayElement {
  /// `t` or `f`, which need no quotes.
  package var postgresArrayText: String { self ? "t" : "f" }
}

extension UUID: PostgresArrayElement {
  /// The usual 36 characters, which need no quotes.
  package var postgresArrayText: String { uuidString }
}

extension Date: PostgresArrayElement {
  /// The instant to the microsecond, in double quotes; before year 1 and after 9999 an infinity.
  package var postgresArrayText: String { "\"\(postgresTimestamp)\"" }
}

extension Data: PostgresArrayElement {
  /// The bytes in `bytea`'s hex format.
  package var postgresArrayText: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = Array("\"\\\\x".utf8)
    text.reserveCapacity(count * 2 + 5)
    for byte in self {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    text.append(UInt8(ascii: "\""))
    return String(decoding: text, as: UTF8.self)
  }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
  /// The element, or `NULL` without quotes for nil.
  package var postgresArrayText: String { self?.postgresArrayText ?? "NULL" }
}

extension Date {
  /// ISO 8601 in UTC with microseconds. Beyond year 9999, or before year 1, the server's `infinity` is sent instead.
  var postgresTimestamp: String {
    let seconds = timeIntervalSince1970
    if seconds >= 253_402_300_800 { return "infinity" }
    if seconds < -62_135_596_800 { return "-infinity" }
    let micros = Int64((seconds * 1_000_000).rounded())
    let (day, rest) = micros.flooredQuotientAndRemainder(dividingBy: 86_400_000_000)
    let (year, month, dayOfMonth) = Self.civil(day)
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let (second, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(second / 3_600, 2)):"
      + "\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2)).\(padded(fraction, 6))Z"
  }

  /// The Gregorian date, for all time as PostgreSQL counts it, of a day since 1970. (Foundation's calendar is Julian
  /// before 1582.)
  ///
  /// Counts in years that begin in March, so that a leap day comes last: years of 400 repeat after 146,097 days.
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (day + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}

extension Int64 {
  /// Division that rounds down, so that the remainder is never negative.
  fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
