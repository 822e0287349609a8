internal import Foundation

/// A time of day as a clock shows it; 24:00 is the end of the day.
package struct LocalTime: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  /// Minutes from midnight, 0 to 1,440.
  package let minutes: Int

  /// Minutes from midnight, 0 to 1,440; nil outside.
  package init?(minutes: Int) {
    guard (0...1_440).contains(minutes) else { return nil }
    self.minutes = minutes
  }

  static let midnight = LocalTime(minutesFromMidnight: 0)

  private init(minutesFromMidnight: Int) { minutes = minutesFromMidnight }

  /// Reads `08:30` or `24:00`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.isDigits }), let hour = Int(parts[0]),
      let minute = Int(parts[1]),
      (0...24).contains(hour), (0...59).contains(minute)
    else { return nil }
    self.init(minutes: hour * 60 + minute)
  }

  /// Such as `08:30`.
  package var description: String {
    "\(padded(minutes / 60, 2)):\(padded(minutes % 60, 2))"
  }

  package static func < (left: LocalTime, right: LocalTime) -> Bool { left.minutes < right.minutes }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let time = LocalTime(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time such as 08:30")
    }
    self = time
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension LocalTime {
  /// The instant of this time on a date.
  ///
  /// A time that a clock change skips is moved forward by the skipped time; a time that happens twice means the later
  /// one, in standard time. 24:00 is the beginning of the next day, which may be later than 00:00.
  func instant(on date: LocalDate, in zone: TimeZone) -> Date {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let asIfGMT = calendar.date(
      from: DateComponents(year: date.year, month: date.month, day: date.day, hour: minutes / 60, minute: minutes % 60))
    guard let asIfGMT else { return .distantPast }
    // An instant is right if the offset at that instant is the offset it was computed with. One day before and one day
    // after, both offsets of a clock change are found.
    let offsets = [-86_400.0, 86_400].map { TimeInterval(zone.secondsFromGMT(for: asIfGMT + $0)) }
    let candidates = offsets.map { asIfGMT - $0 }.filter { asIfGMT - TimeInterval(zone.secondsFromGMT(for: $0)) == $0 }
    // No candidate fits a skipped time: the offset before the change moves it forward.
    return candidates.max() ?? asIfGMT - offsets[0]
  }
}
