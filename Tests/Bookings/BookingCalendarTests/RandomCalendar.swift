import Foundation
import TestServers
import Testing

@testable import BookingCalendar

/// An bookableCalendar drawn at random, and a few days around which it is looked at.
struct RandomCalendar {
  let bookableCalendar: BookableCalendar
  /// Four days, often with a change of clocks in them.
  let range: TimeRange
  let now: Date
  var random: SeededRandom

  /// Zones, and days near which their clocks change (or, for the last two, do not).
  private static let places = [
    ("America/New_York", "2026-03-08T12:00"), ("America/New_York", "2026-11-01T12:00"),
    ("Europe/Berlin", "2026-03-29T12:00"), ("Europe/Berlin", "2026-10-25T12:00"),
    ("Australia/Lord_Howe", "2026-04-05T00:00"), ("Australia/Lord_Howe", "2026-10-04T00:00"),
    ("America/Sao_Paulo", "2018-11-04T12:00"), ("America/Sao_Paulo", "2018-02-18T12:00"),
    ("America/Havana", "2026-11-01T12:00"), ("Pacific/Chatham", "2026-04-05T00:00"),
    ("Asia/Kolkata", "2026-03-09T12:00"), ("Asia/Kathmandu", "2026-03-09T12:00"),
  ]

  init(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let place = Self.places[.random(in: 0..<Self.places.count, using: &random)]
    let middle = try utc(place.1)
    let home = try zone(place.0)
    let schedule = try Self.schedule(around: LocalDate(middle, in: home), using: &random)
    let day = LocalDate(middle, in: home).adding(days: .random(in: -2...2, using: &random))
    let business = BusinessRules(
      timeZone: home, minimumNotice: [0, 1_800, 86_400].randomElement(using: &random) ?? 0,
      horizon: [2 * 86_400, 400 * 86_400].randomElement(using: &random) ?? 0,
      daysOff: Int.random(in: 0..<4, using: &random) == 0 ? [day] : [])
    let service = service(
      [15, 20, 45, 50, 60, 90, 120].randomElement(using: &random) ?? 0,
      every: [nil, 10, 15, 30, 60].randomElement(using: &random) ?? nil,
      before: [0, 0, 10].randomElement(using: &random) ?? 0, after: [0, 0, 25].randomElement(using: &random) ?? 0)
    bookableCalendar = BookableCalendar(business: business, service: service, schedule: schedule)
    range = TimeRange(start: middle - 2 * 86_400, end: middle + 2 * 86_400)
    now = range.start + Double(Int.random(in: -2_880...2_880, using: &random)) * 60
    self.random = random
  }

  private static func schedule(around middle: LocalDate, using random: inout SeededRandom) throws -> Schedule {
    var schedule = Schedule(weekly: [:])
    for weekday in Weekday.allCases {
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        schedule.weekly[weekday, default: []].append(try hours(&random))
      }
      if Int.random(in: 0..<3, using: &random) == 0 { schedule.breaks[weekday] = [try hours(&random)] }
    }
    if Bool.random(using: &random) {
      let day = middle.adding(days: .random(in: -2...2, using: &random))
      schedule.overrides[day] = Bool.random(using: &random) ? [] : [try hours(&random)]
    }
    return schedule
  }

  /// Hours on the half hour, of all lengths, some across midnight.
  private static func hours(_ random: inout SeededRandom) throws -> Schedule.Hours {
    let start = Int.random(in: 0..<48, using: &random) * 30
    let any = Int.random(in: 1...48, using: &random) * 30
    let soon = min(1_440, start + Int.random(in: 1...19, using: &random) * 30)
    let end = Bool.random(using: &random) ? any : soon
    return Schedule.Hours(start: try #require(LocalTime(minutes: start)), end: try #require(LocalTime(minutes: end)))
  }

  /// What the bookableCalendar lists in the range, with nothing taken.
  var listed: [Date] { bookableCalendar.slots(in: range, now: now, busy: []) }

  /// A minute of the range.
  mutating func instant() -> Date { range.start + Double(Int.random(in: 0..<5_760, using: &random)) * 60 }

  /// Busy times, some of them empty, in any order.
  mutating func busy() -> [TimeRange] {
    (0..<Int.random(in: 1...12, using: &random)).map { _ in
      let start = instant()
      return TimeRange(start: start, end: start + Double(Int.random(in: 0...40, using: &random)) * 300)
    }
  }
}
