package import Foundation

/// The lengths of time that counts are added up over.
package enum Granularity: String, Sendable, CaseIterable, Codable {
  case minute, hour, day
}

/// Where an instant falls in each granularity. Days and hours are those of the business: its day begins at its own midnight.
package struct RollupCalendar: Sendable {
  private let calendar: Calendar

  /// Counts in the zone given.
  package init(zone: TimeZone) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    self.calendar = calendar
  }

  /// The first instant of the minute, hour or day an instant falls in.
  ///
  /// A day whose midnight the clock leaps over begins at its first instant that exists.
  package func start(of granularity: Granularity, at instant: Date) -> Date {
    switch granularity {
    case .minute: Date(timeIntervalSince1970: (instant.timeIntervalSince1970 / 60).rounded(.down) * 60)
    // In elapsed time and not by the clock: an hour that comes twice in autumn is two hours.
    case .hour: hourStart(instant)
    case .day: calendar.startOfDay(for: instant)
    }
  }

  private func hourStart(_ instant: Date) -> Date {
    // Zones are off by quarters of an hour here and there: the hour begins where the local minute is zero.
    let zone = calendar.timeZone
    let offset = zone.secondsFromGMT(for: instant)
    let local = instant.timeIntervalSince1970 + Double(offset)
    let start = Date(timeIntervalSince1970: (local / 3_600).rounded(.down) * 3_600 - Double(offset))
    // Where the clock was put by half an hour meanwhile, the hour begins with that.
    guard (zone.secondsFromGMT(for: start) - offset) % 3_600 != 0,
      let leap = zone.nextDaylightSavingTimeTransition(after: start), leap <= instant
    else { return start }
    return leap
  }

  /// The day a text such as `2026-11-23` names: its first instant, and that of the next; nil where there is no such
  /// day.
  package func day(_ text: String) -> Range<Date>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 10, text.utf8.allSatisfy({ (45...57).contains($0) }), parts.count == 3,
      let year = Int(parts[0]), let month = Int(parts[1]),
      let day = Int(parts[2]), (2000...2099).contains(year), (1...12).contains(month), (1...31).contains(day),
      let noon = calendar.date(from: DateComponents(year: year, month: month, day: day, hour: 12)),
      calendar.component(.day, from: noon) == day
    else { return nil }
    let start = calendar.startOfDay(for: noon)
    // From noon on, so that days of 23 and 25 hours are no matter.
    guard let next = calendar.date(byAdding: .day, value: 1, to: noon) else { return nil }
    return start..<calendar.startOfDay(for: next)
  }

  /// The day an instant falls on, such as `2026-11-23`.
  package func dayText(_ instant: Date) -> String {
    let parts = calendar.dateComponents([.year, .month, .day], from: instant)
    func padded(_ number: Int?, _ width: Int) -> String {
      let text = "\(number ?? 0)"
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
  }
}

/// How often something happened in one bucket.
package struct RollupEntry: Sendable, Equatable, Codable {
  /// The bucket's first instant.
  package let start: Date
  /// What happened: one of ``MetricName``, or a name of a newer program.
  package let metric: String
  /// What distinguishes it further: a reason, a kind; empty where nothing does.
  package let detail: String
  /// How often.
  package let count: Int

  /// Takes a row of a rollup table.
  package init(start: Date, metric: String, detail: String, count: Int) {
    self.start = start
    self.metric = metric
    self.detail = detail
    self.count = count
  }
}
