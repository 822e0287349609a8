import Foundation
import Testing

@testable import BookingCalendar

/// The instant that `2026-03-08T05:00` names in UTC.
func utc(_ text: String) throws -> Date { try Date("\(text):00Z", strategy: .iso8601) }

/// Writes an instant the way ``utc(_:)`` reads it.
func utcText(_ instant: Date) -> String { String(instant.formatted(.iso8601).prefix(16)) }

func zone(_ name: String) throws -> TimeZone { try #require(TimeZone(identifier: name), "no zone \(name)") }

func date(_ text: String) throws -> LocalDate { try #require(LocalDate(text), "\(text) is no date") }

func wallTime(_ text: String) throws -> LocalTime { try #require(LocalTime(text), "\(text) is no time") }

/// Hours such as `09:00-18:00`.
func hours(_ text: String) throws -> Schedule.Hours {
  Schedule.Hours(start: try wallTime(String(text.prefix(5))), end: try wallTime(String(text.suffix(5))))
}

/// The same hours on all days of the week.
func everyDay(_ texts: String...) -> [Weekday: [String]] {
  Dictionary(uniqueKeysWithValues: Weekday.allCases.map { ($0, texts) })
}

/// A range between two instants in UTC.
func timeRange(_ start: String, _ end: String) throws -> TimeRange {
  TimeRange(start: try utc(start), end: try utc(end))
}

func schedule(
  _ weekly: [Weekday: [String]], breaks: [Weekday: [String]] = [:], overrides: [String: [String]] = [:]
) throws -> Schedule {
  Schedule(
    weekly: try weekly.mapValues { try $0.map(hours) }, breaks: try breaks.mapValues { try $0.map(hours) },
    overrides: try Dictionary(
      uniqueKeysWithValues: overrides.map { day, texts in (try date(day), try texts.map(hours)) }))
}

/// A service whose times are in minutes.
func service(_ duration: Double, every interval: Double? = nil, before: Double = 0, after: Double = 0) -> ServiceRules {
  ServiceRules(
    duration: duration * 60, interval: interval.map { $0 * 60 }, bufferBefore: before * 60, bufferAfter: after * 60)
}

func bookableCalendar(
  _ zoneName: String, _ schedule: Schedule, _ service: ServiceRules = service(60), notice: TimeInterval = 0,
  horizon: TimeInterval = 400 * 86_400, daysOff: [String] = []
) throws -> BookableCalendar {
  let business = BusinessRules(
    timeZone: try zone(zoneName), minimumNotice: notice, horizon: horizon, daysOff: Set(try daysOff.map(date)))
  return BookableCalendar(business: business, service: service, schedule: schedule)
}

extension BookableCalendar {
  /// The starts of the free slots between two instants, as seen at the first of them.
  func listed(_ from: String, _ to: String, busy: [TimeRange] = []) throws -> [String] {
    let range = try timeRange(from, to)
    return slots(in: range, now: range.start, busy: busy).map(utcText)
  }

  /// Why a slot cannot be had, as seen a day before it begins.
  func refusals(_ start: String) throws -> [RejectionReason] {
    let start = try utc(start)
    return rejections(of: start, now: start - 86_400)
  }
}
