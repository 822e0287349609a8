internal import Foundation

/// Dates and times of the API's requests and responses.
enum RFC3339 {
  static let requirement =
    "must be a date and time with its offset, such as 2026-11-24T14:00:00-03:00, from 2000 to 2099"

  /// Reads RFC 3339 to the second, with `Z` or an offset; nil for anything else, or a year outside 2000 to 2099.
  static func parse(_ text: String) -> Date? {
    let form = /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-](\d\d):(\d\d))/
    guard let match = text.wholeMatch(of: form), let date = try? Date(text, strategy: .iso8601) else { return nil }
    let hours = match.2.flatMap { Int($0) } ?? 0
    let minutes = match.3.flatMap { Int($0) } ?? 0
    let sign = match.1.hasPrefix("-") ? -1 : 1
    guard let zone = TimeZone(secondsFromGMT: sign * (hours * 3_600 + minutes * 60)) else { return nil }
    // Foundation turns the 30th of February into a day of March; such a date is written differently from what was read.
    return string(date, in: zone).prefix(19) == text.prefix(19) ? date : nil
  }

  static func string(_ date: Date, in zone: TimeZone = .gmt) -> String {
    date.formatted(
      Date.ISO8601FormatStyle(timeZone: zone).year().month().day().timeZone(separator: .colon).time(
        includingFractionalSeconds: false
      ).dateTimeSeparator(.standard))
  }
}
