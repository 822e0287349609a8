import Foundation
import Testing

@testable import BookingCalendar

/// Every reason a slot can be turned down for. 2026-03-09 is a Monday.
struct RejectionTests {
  /// Open on weekdays from nine to six, lunch at noon; off on Wednesday 11th and Thursday 12th, open on Saturday 14th.
  private func barber(_ service: ServiceRules = service(60, every: 30), notice: TimeInterval = 0) throws
    -> BookableCalendar
  {
    let weekdays = everyDay("09:00-18:00").filter { ![.saturday, .sunday].contains($0.key) }
    let weekly = try schedule(
      weekdays, breaks: everyDay("12:00-13:00"), overrides: ["2026-03-11": [], "2026-03-14": ["10:00-15:00"]])
    return try bookableCalendar("UTC", weekly, service, notice: notice, horizon: 30 * 86_400, daysOff: ["2026-03-12"])
  }

  @Test(arguments: ["2026-03-09T09:00", "2026-03-09T09:30", "2026-03-09T11:00", "2026-03-09T13:00", "2026-03-09T17:00"])
  func `a slot inside the hours and on the grid is accepted`(_ start: String) throws {
    #expect(try barber().refusals(start).isEmpty)
  }

  @Test(arguments: ["2026-03-09T08:00", "2026-03-09T08:30", "2026-03-09T17:30", "2026-03-09T18:00", "2026-03-09T23:30"])
  func `a slot that begins before opening or ends after closing is outside the hours`(_ start: String) throws {
    #expect(try barber().refusals(start) == [.outsideWorkingHours])
  }

  @Test(arguments: ["2026-03-09T11:30", "2026-03-09T12:00", "2026-03-09T12:30", "2026-03-09T11:45"])
  func `a slot that shares time with a break is refused for the break`(_ start: String) throws {
    #expect(try barber().refusals(start) == [.duringBreak])
  }

  @Test(arguments: ["2026-03-08T10:00", "2026-03-11T10:00", "2026-03-12T10:00", "2026-03-15T10:00"])
  func `a slot on a weekday off, an override off or a day off of the business is refused`(_ start: String) throws {
    #expect(try barber().refusals(start) == [.dayOff])
  }

  @Test(arguments: ["2026-03-09T09:01", "2026-03-09T09:10", "2026-03-09T13:45", "2026-03-09T16:59"])
  func `a slot beside the grid is refused`(_ start: String) throws {
    #expect(try barber().refusals(start) == [.offGrid])
  }

  @Test(arguments: [0.001, 0.5, 1, 59])
  func `a slot is off the grid by seconds, and parts of them, too`(_ seconds: TimeInterval) throws {
    let start = try utc("2026-03-09T10:00") + seconds
    #expect(try barber().rejections(of: start, now: start - 3_600) == [.offGrid])
  }

  @Test func `a slot that begins before now is in the past, and one that begins now is not`() throws {
    let start = try utc("2026-03-09T10:00")
    #expect(try barber().rejections(of: start, now: start + 0.001) == [.inThePast])
    #expect(try barber().rejections(of: start, now: start).isEmpty)
  }

  @Test func `the minimum notice is up to, and not including, its end`() throws {
    let start = try utc("2026-03-09T10:00")
    let careful = try barber(notice: 7_200)
    #expect(careful.rejections(of: start, now: start - 7_200).isEmpty)
    #expect(careful.rejections(of: start, now: start - 7_199) == [.tooSoon])
    #expect(careful.rejections(of: start, now: start) == [.tooSoon])
    #expect(careful.rejections(of: start, now: start + 1) == [.inThePast])
  }

  @Test func `the horizon is up to and including its end`() throws {
    let start = try utc("2026-03-09T10:00")
    #expect(try barber().rejections(of: start, now: start - 30 * 86_400).isEmpty)
    #expect(try barber().rejections(of: start, now: start - 30 * 86_400 - 1) == [.beyondHorizon])
  }

  @Test func `several reasons are all given`() throws {
    let late = try utc("2026-03-09T20:00")
    #expect(try barber().rejections(of: late, now: late + 60) == [.inThePast, .outsideWorkingHours])
    #expect(try barber(notice: 7_200).rejections(of: late, now: late) == [.tooSoon, .outsideWorkingHours])
    let crooked = try utc("2026-03-09T10:10")
    #expect(try barber(notice: 7_200).rejections(of: crooked, now: crooked) == [.tooSoon, .offGrid])
  }

  @Test func `an override brings hours of its own, and no breaks`() throws {
    #expect(try barber().refusals("2026-03-14T12:00").isEmpty)
    #expect(try barber().refusals("2026-03-14T14:00").isEmpty)
    #expect(try barber().refusals("2026-03-14T14:30") == [.outsideWorkingHours])
    #expect(try barber().refusals("2026-03-14T09:00") == [.outsideWorkingHours])
  }

  @Test func `a day off of the business beats an override`() throws {
    var closed = try barber()
    closed.business.daysOff.insert(try date("2026-03-14"))
    #expect(try closed.refusals("2026-03-14T12:00") == [.dayOff])
    #expect(try closed.listed("2026-03-14T00:00", "2026-03-15T00:00").isEmpty)
  }

  @Test func `after a break the grid begins anew`() throws {
    let slots = try barber(service(60, every: 45)).listed("2026-03-09T00:00", "2026-03-10T00:00")
    #expect(
      slots.map { $0.suffix(5) } == ["09:00", "09:45", "10:30", "13:00", "13:45", "14:30", "15:15", "16:00", "16:45"])
  }

  @Test func `the last slot must end by closing time`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-18:00")), service(50, every: 20))
    let slots = try open.listed("2026-03-09T00:00", "2026-03-10T00:00")
    #expect(slots.last == "2026-03-09T17:00")
    #expect(!slots.contains("2026-03-09T17:20"))
    #expect(try open.refusals("2026-03-09T17:20") == [.outsideWorkingHours])
    let exact = try bookableCalendar("UTC", schedule(everyDay("09:00-18:00")), service(50, every: 10))
    #expect(try exact.listed("2026-03-09T00:00", "2026-03-10T00:00").last == "2026-03-09T17:10")
  }

  @Test func `without an interval a slot begins where the one before ends`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-12:00")), service(50))
    let slots = try open.listed("2026-03-09T00:00", "2026-03-10T00:00")
    #expect(slots.map { $0.suffix(5) } == ["09:00", "09:50", "10:40"])
  }

  @Test func `the reasons' names are part of the API`() {
    let names = [
      "unknown_business", "unknown_service", "unknown_professional", "service_not_offered", "in_the_past", "too_soon",
      "beyond_horizon", "day_off", "outside_working_hours", "during_break", "off_grid", "slot_taken",
    ]
    #expect(RejectionReason.allCases.map(\.rawValue) == names)
  }
}
