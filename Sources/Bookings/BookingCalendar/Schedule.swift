internal import Foundation

/// When a professional works: weekly hours on the wall, with breaks, and dates on which other hours hold.
package struct Schedule: Sendable, Equatable, Codable {
  /// Hours on the wall, from `start` to `end`. An end that is not after the start lies on the next day.
  package struct Hours: Sendable, Equatable, Codable {
    /// When they begin.
    package let start: LocalTime
    /// When they end; not after the start means on the next day.
    package let end: LocalTime

    /// Any two times make hours; where they are the same, a whole day.
    package init(start: LocalTime, end: LocalTime) {
      self.start = start
      self.end = end
    }
  }

  /// Working hours by weekday; a weekday that is missing is off.
  package var weekly: [Weekday: [Hours]]
  /// Breaks by weekday, inside the hours.
  package var breaks: [Weekday: [Hours]]
  /// Hours of single dates, which replace that day completely, breaks included; empty: a day off.
  package var overrides: [LocalDate: [Hours]]

  /// Puts a schedule together; without breaks and overrides unless they are given.
  package init(
    weekly: [Weekday: [Hours]], breaks: [Weekday: [Hours]] = [:], overrides: [LocalDate: [Hours]] = [:]
  ) {
    self.weekly = weekly
    self.breaks = breaks
    self.overrides = overrides
  }

  private enum CodingKeys: String, CodingKey { case weekly, breaks, overrides }

  /// Reads an object with `weekly`, `breaks` and `overrides`, each an object of lists of hours, under weekdays
  /// (`monday`) or dates (`2026-12-25`). What is missing is empty; a name that is no weekday or date is thrown as an
  /// error.
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

  /// Writes the object that is read: hours under weekdays' names and dates.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(Dictionary(uniqueKeysWithValues: weekly.map { ($0.key.rawValue, $0.value) }), forKey: .weekly)
    try values.encode(Dictionary(uniqueKeysWithValues: breaks.map { ($0.key.rawValue, $0.value) }), forKey: .breaks)
    try values.encode(
      Dictionary(uniqueKeysWithValues: overrides.map { ($0.key.description, $0.value) }), forKey: .overrides)
  }

  /// What a date's hours come to.
  enum Day: Equatable {
    case off
    case open(hours: [Hours], breaks: [Hours])
  }

  /// The hours that hold on a date.
  func day(_ date: LocalDate) -> Day {
    if let hours = overrides[date] { return hours.isEmpty ? .off : .open(hours: hours, breaks: []) }
    guard let hours = weekly[date.weekday], !hours.isEmpty else { return .off }
    return .open(hours: hours, breaks: breaks[date.weekday] ?? [])
  }
}

extension Schedule.Hours {
  /// The stretch of time these hours are on a date in a zone.
  func range(on date: LocalDate, in zone: TimeZone) -> TimeRange {
    let endDate = end <= start ? date.adding(days: 1) : date
    return TimeRange(start: start.instant(on: date, in: zone), end: end.instant(on: endDate, in: zone))
  }
}

extension LocalTime {
  /// The instant of this time on a date. A time that a change of clocks skips is moved forward by the skipped stretch;
  /// of a time that happens twice the later, standard one is meant. 24:00 is the next day's beginning, which need not
  /// be 00:00.
  func instant(on date: LocalDate, in zone: TimeZone) -> Date {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let asIfGMT = calendar.date(
      from: DateComponents(year: date.year, month: date.month, day: date.day, hour: minutes / 60, minute: minutes % 60))
    guard let asIfGMT else { return .distantPast }
    // The instant is right where the offset that holds at it is the offset used to compute it. A day away, both offsets
    // of a change are seen.
    let offsets = [-86_400.0, 86_400].map { TimeInterval(zone.secondsFromGMT(for: asIfGMT + $0)) }
    let candidates = offsets.map { asIfGMT - $0 }.filter { asIfGMT - TimeInterval(zone.secondsFromGMT(for: $0)) == $0 }
    // None is right for a skipped time: the offset before the change moves it forward.
    return candidates.max() ?? asIfGMT - offsets[0]
  }
}
