internal import Foundation

/// A date on a calendar, without a time or a zone.
package struct LocalDate: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  /// The year of the Gregorian calendar; in text it has four digits.
  package let year: Int
  /// 1 to 12.
  package let month: Int
  /// The day of the month, from 1.
  package let day: Int

  /// Takes the parts as they are: they must make a date that exists.
  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Reads `2026-12-25`; nil for anything else, such as a 30th of February.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2, parts.allSatisfy(\.isDigits),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month),
      day >= 1, day <= Self.daysIn(month, of: year)
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// `2026-12-25`, the form that is read as well.
  package var description: String {
    func padded(_ number: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)"
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// True where the left date is the earlier one.
  package static func < (left: LocalDate, right: LocalDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }

  /// Reads a string such as `2026-12-25`; throws for anything else.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let date = LocalDate(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a date such as 2026-12-25")
    }
    self = date
  }

  /// Writes a string such as `2026-12-25`.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  private static func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The day before or after, by whole days.
  package func adding(days: Int) -> LocalDate {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let noon = calendar.date(from: DateComponents(year: year, month: month, day: day + days, hour: 12)) ?? .distantPast
    return LocalDate(noon, in: .gmt)
  }

  /// The weekday of the date.
  package var weekday: Weekday {
    // Zeller's congruence, which counts from Saturday.
    let (m, y) = month < 3 ? (month + 12, year - 1) : (month, year)
    let zeller = (day + 13 * (m + 1) / 5 + y + y / 4 - y / 100 + y / 400) % 7
    return Weekday.allCases[(zeller + 5) % 7]
  }
}

extension LocalDate {
  /// The date on the wall at an instant.
  init(_ instant: Date, in zone: TimeZone) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let parts = calendar.dateComponents([.year, .month, .day], from: instant)
    self.init(year: parts.year ?? 1, month: parts.month ?? 1, day: parts.day ?? 1)
  }
}

/// A day of the week.
package enum Weekday: String, Sendable, Codable, CaseIterable {
  case monday, tuesday, wednesday, thursday, friday, saturday, sunday
}

/// A time on the wall, in minutes from midnight; 24:00 is the end of the day.
package struct LocalTime: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  /// 0 to 1,440.
  package let minutes: Int

  /// Minutes from midnight, 0 to 1,440; nil outside.
  package init?(minutes: Int) {
    guard (0...1_440).contains(minutes) else { return nil }
    self.minutes = minutes
  }

  /// Reads `08:30` or `24:00`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.isDigits }), let hour = Int(parts[0]),
      let minute = Int(parts[1]),
      (0...24).contains(hour), (0...59).contains(minute)
    else { return nil }
    self.init(minutes: hour * 60 + minute)
  }

  /// `08:30`, with two digits each; the end of the day is `24:00`.
  package var description: String {
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(padded(minutes / 60)):\(padded(minutes % 60))"
  }

  /// True where the left time is the earlier one on the same day.
  package static func < (left: LocalTime, right: LocalTime) -> Bool { left.minutes < right.minutes }

  /// Reads a string such as `08:30`; throws for anything else.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let time = LocalTime(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time such as 08:30")
    }
    self = time
  }

  /// Writes a string such as `08:30`.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Substring {
  /// True where only the digits 0 to 9 stand: `Int` takes signs as well.
  fileprivate var isDigits: Bool { utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
}
