import Foundation
import Testing

@testable import BookingCalendar

/// What is taken, and the buffers around it. 2026-03-09 is a Monday.
struct BusyTests {
  private func times(_ calendar: BookableCalendar, busy: [TimeRange]) throws -> [String] {
    try calendar.listed("2026-03-09T00:00", "2026-03-10T00:00", busy: busy).map { String($0.suffix(5)) }
  }

  @Test func `a taken slot is not listed, and its neighbours are`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-13:00")))
    let taken = open.service.blocked(from: try utc("2026-03-09T10:00"))
    #expect(try times(open, busy: [taken]) == ["09:00", "11:00", "12:00"])
  }

  @Test func `whatever shares a minute with what is taken is not listed`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-13:00")), service(60, every: 30))
    let busy = try [timeRange("2026-03-09T10:29", "2026-03-09T10:31")]
    #expect(try times(open, busy: busy) == ["09:00", "11:00", "11:30", "12:00"])
  }

  @Test func `buffers of both bookings are kept free between them, each once`() throws {
    let padded = try bookableCalendar(
      "UTC", schedule(everyDay("06:00-20:00")), service(60, every: 5, before: 15, after: 10))
    let taken = padded.service.blocked(from: try utc("2026-03-09T10:00"))
    #expect(try taken == timeRange("2026-03-09T09:45", "2026-03-09T11:10"))
    let free = try times(padded, busy: [taken])
    #expect(free.last { $0 < "10:00" } == "08:35")
    #expect(free.first { $0 > "10:00" } == "11:25")
  }

  @Test func `buffers may reach beyond the hours`() throws {
    let padded = try bookableCalendar(
      "UTC", schedule(everyDay("09:00-11:00")), service(60, before: 30, after: 30))
    #expect(try times(padded, busy: []) == ["09:00", "10:00"])
    #expect(try padded.refusals("2026-03-09T10:00").isEmpty)
    let early = try [timeRange("2026-03-09T08:00", "2026-03-09T08:31")]
    #expect(try times(padded, busy: early) == ["10:00"])
  }

  @Test func `a buffer that reaches over midnight meets what is taken there`() throws {
    let late = try bookableCalendar("UTC", schedule([.monday: ["22:00-24:00"]]), service(60, after: 30))
    let after = try [timeRange("2026-03-10T00:10", "2026-03-10T01:00")]
    #expect(try times(late, busy: after) == ["22:00"])
  }

  @Test func `busy times may overlap, be empty and come in any order`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-14:00")))
    let busy = try [
      timeRange("2026-03-09T11:30", "2026-03-09T12:00"), timeRange("2026-03-09T13:30", "2026-03-09T13:30"),
      timeRange("2026-03-09T09:00", "2026-03-09T09:10"), timeRange("2026-03-09T09:05", "2026-03-09T09:20"),
    ]
    #expect(try times(open, busy: busy) == ["10:00", "12:00", "13:00"])
  }

  @Test func `a day that is taken whole has no slots`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-14:00")))
    #expect(try times(open, busy: [timeRange("2026-03-01T00:00", "2026-04-01T00:00")]).isEmpty)
  }

  @Test func `slots are listed from the range's start up to, and not including, its end`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-18:00")))
    #expect(try open.listed("2026-03-09T09:00", "2026-03-09T11:00") == ["2026-03-09T09:00", "2026-03-09T10:00"])
    #expect(try open.listed("2026-03-09T09:01", "2026-03-09T11:01") == ["2026-03-09T10:00", "2026-03-09T11:00"])
    #expect(try open.listed("2026-03-09T09:00", "2026-03-09T09:00").isEmpty)
    #expect(try open.listed("2026-03-09T11:00", "2026-03-09T09:00").isEmpty)
  }

  @Test func `what was in the past, comes too soon or lies beyond the horizon is not listed`() throws {
    let strict = try bookableCalendar("UTC", schedule(everyDay("09:00-18:00")), notice: 3_600, horizon: 86_400)
    let range = try timeRange("2026-03-01T00:00", "2026-04-01T00:00")
    let slots = strict.slots(in: range, now: try utc("2026-03-09T12:00"), busy: [])
    #expect(try slots.first == utc("2026-03-09T13:00"))
    #expect(try slots.last == utc("2026-03-10T12:00"))
    #expect(slots.count == 9)
  }

  @Test func `hours that overlap list a slot once`() throws {
    let open = try bookableCalendar("UTC", schedule(everyDay("09:00-12:00", "11:00-14:00", "09:00-12:00")))
    #expect(try times(open, busy: []) == ["09:00", "10:00", "11:00", "12:00", "13:00"])
  }
}
