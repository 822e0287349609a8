package import Foundation

/// Finds the bucket of an instant. Days and hours are those of the business: its day begins at its own midnight.
package struct RollupCalendar: Sendable {
  private let calendar: Calendar

  package init(zone: TimeZone) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    self.calendar = calendar
  }

  package var zone: TimeZone { calendar.timeZone }

  /// The first instant of the minute, hour or day that contains an instant.
  ///
  /// A day whose midnight is skipped by a clock change begins at its first instant that exists.
  package func start(of granularity: Granularity, at instant: Date) -> Date {
    switch granularity {
    case .minute: Date(timeIntervalSince1970: (instant.timeIntervalSince1970 / 60).rounded(.down) * 60)
    // In elapsed time: an hour that happens twice in autumn is two hours.
    case .hour: hourStart(instant)
    case .day: calendar.startOfDay(for: instant)
    }
  }

  private func hourStart(_ instant: Date) -> Date {
    // Some zones differ from UTC by quarters of an hour: the hour begins where the local minute is zero.
    let zone = calendar.timeZone
    let offset = zone.secondsFromGMT(for: instant)
    let local = instant.timeIntervalSince1970 + Double(offset)
    let start = Date(timeIntervalSince1970: (local / 3_600).rounded(.down) * 3_600 - Double(offset))
    // If the clock changed by half an hour in between, the hour begins with the change.
    guard (zone.secondsFromGMT(for: start) - offset) % 3_600 != 0,
      let leap = zone.nextDaylightSavingTimeTransition(after: start), leap <= instant
    else { return start }
    return leap
  }

  /// The instants of the day that a text such as `2026-11-23` means; nil: there is no such day, or it is not in the
  /// years 2000 to 2099.
  package func day(_ text: String) -> Range<Date>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 10, text.utf8.allSatisfy({ (45...57).contains($0) }), parts.count == 3,
      let year = Int(parts[0]), let month = Int(parts[1]),
      let day = Int(parts[2]), (2000...2099).contains(year), (1...12).contains(month), (1...31).contains(day),
      let noon = calendar.date(from: DateComponents(year: year, month: month, day: day, hour: 12)),
      calendar.component(.day, from: noon) == day
    else { return nil }
    let start = calendar.startOfDay(for: noon)
    // From noon, because days may have 23 or 25 hours.
    guard let next = calendar.date(byAdding: .day, value: 1, to: noon) else { return nil }
    return start..<calendar.startOfDay(for: next)
  }

  /// The date of an instant, such as `2026-11-23`.
  package func dayText(_ instant: Date) -> String {
    let parts = calendar.dateComponents([.year, .month, .day], from: instant)
    func padded(_ number: Int?, _ width: Int) -> String {
      let text = "\(number ?? 0)"
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
  }
}
