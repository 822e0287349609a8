internal import Foundation

/// When a professional works: weekly hours in local time, with breaks, and dates with other hours.
package struct Schedule: Sendable, Equatable, Codable {
  /// Hours in local time. An end that is not after the start is on the next day; equal times are a whole day.
  package struct Hours: Sendable, Equatable, Codable {
    package let start: LocalTime
    package let end: LocalTime

    package init(start: LocalTime, end: LocalTime) {
      self.start = start
      self.end = end
    }
  }

  /// Working hours; a weekday without an entry is off.
  package var weekly: [Weekday: [Hours]]
  /// Breaks inside the hours.
  package var breaks: [Weekday: [Hours]]
  /// Hours of single dates. They replace that day completely, breaks included; empty: a day off.
  package var overrides: [LocalDate: [Hours]]

  package init(
    weekly: [Weekday: [Hours]], breaks: [Weekday: [Hours]] = [:], overrides: [LocalDate: [Hours]] = [:]
  ) {
    self.weekly = weekly
    self.breaks = breaks
    self.overrides = overrides
  }

  private enum CodingKeys: String, CodingKey { case weekly, breaks, overrides }

  /// Reads an object with `weekly`, `breaks` and `overrides`. Each is an object of lists of hours by weekday (`monday`)
  /// or date (`2026-12-25`); a missing one is empty.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func byWeekday(_ key: CodingKeys) throws -> [Weekday: [Hours]] {
      let raw = try values.decodeIfPresent([String: [Hours]].self, forKey: key) ?? [:]
      return try Dictionary(
        uniqueKeysWithValues: raw.map { name, hours in
          guard let weekday = Weekday(rawValue: name) else {
            throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "\(name) is no weekday")
          }
          return (weekday, hours)
        })
    }
    weekly = try byWeekday(.weekly)
    breaks = try byWeekday(.breaks)
    let dates = try values.decodeIfPresent([String: [Hours]].self, forKey: .overrides) ?? [:]
    overrides = try Dictionary(
      uniqueKeysWithValues: dates.map { text, hours in
        guard let date = LocalDate(text) else {
          throw DecodingError.dataCorruptedError(forKey: .overrides, in: values, debugDescription: "\(text) is no date")
        }
        return (date, hours)
      })
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(Dictionary(uniqueKeysWithValues: weekly.map { ($0.key.rawValue, $0.value) }), forKey: .weekly)
    try values.encode(Dictionary(uniqueKeysWithValues: breaks.map { ($0.key.rawValue, $0.value) }), forKey: .breaks)
    try values.encode(
      Dictionary(uniqueKeysWithValues: overrides.map { ($0.key.description, $0.value) }), forKey: .overrides)
  }

  enum Day: Equatable {
    case off
    case open(hours: [Hours], breaks: [Hours])
  }

  func day(_ date: LocalDate) -> Day {
    if let hours = overrides[date] { return hours.isEmpty ? .off : .open(hours: hours, breaks: []) }
    guard let hours = weekly[date.weekday], !hours.isEmpty else { return .off }
    return .open(hours: hours, breaks: breaks[date.weekday] ?? [])
  }
}

extension Schedule.Hours {
  func range(on date: LocalDate, in zone: TimeZone) -> TimeRange {
    let endDate = end <= start ? date.adding(days: 1) : date
    return TimeRange(start: start.instant(on: date, in: zone), end: end.instant(on: endDate, in: zone))
  }
}
