import Foundation
import Testing

@testable import BookingCalendar

struct ClockChangeSlotTests {
  private func check(_ change: ClockChange) throws {
    let weekly = Dictionary(uniqueKeysWithValues: Weekday.allCases.map { ($0, change.hours) })
    let calendar = try bookableCalendar(change.zone, schedule(weekly))
    #expect(try calendar.listed(change.from, change.to) == change.slots)
    for slot in change.slots { #expect(try calendar.refusals(slot).isEmpty, "\(slot)") }
  }

  @Test(arguments: ClockChange.springs)
  func `where an hour is skipped there are fewer slots, in elapsed time`(_ change: ClockChange) throws {
    try check(change)
  }

  @Test(arguments: ClockChange.autumns)
  func `where an hour happens twice there are more slots, in elapsed time`(_ change: ClockChange) throws {
    try check(change)
  }

  @Test func `hours in a skipped hour are moved with it, and where nothing is left of them there is no slot`() throws {
    let range = ("2026-03-08T05:00", "2026-03-09T04:00")
    let moved = try bookableCalendar("America/New_York", schedule(everyDay("02:15-02:45")), service(30))
    #expect(try moved.listed(range.0, range.1) == ["2026-03-08T07:15"])
    let gone = try bookableCalendar("America/New_York", schedule(everyDay("02:30-03:00")), service(30))
    #expect(try gone.listed(range.0, range.1).isEmpty)
  }

  @Test func `minimum notice is elapsed time on the day clocks go forward`() throws {
    let night = try bookableCalendar("America/New_York", schedule(everyDay("00:00-06:00")), notice: 4 * 3_600)
    #expect(try night.listed("2026-03-08T04:00", "2026-03-09T04:00") == ["2026-03-08T08:00", "2026-03-08T09:00"])
  }

  @Test func `minimum notice is elapsed time on the day clocks go back`() throws {
    let night = try bookableCalendar("America/New_York", schedule(everyDay("00:00-06:00")), notice: 4 * 3_600)
    let slots = ["2026-11-01T07:00", "2026-11-01T08:00", "2026-11-01T09:00", "2026-11-01T10:00"]
    #expect(try night.listed("2026-11-01T03:00", "2026-11-02T04:00") == slots)
  }

  @Test func `a break in a skipped hour takes nothing away`() throws {
    let night = try bookableCalendar(
      "America/New_York", schedule(everyDay("00:00-06:00"), breaks: everyDay("02:00-03:00")))
    #expect(try night.listed("2026-03-08T05:00", "2026-03-09T04:00").count == 5)
    #expect(try night.listed("2026-03-09T04:00", "2026-03-10T04:00").count == 5)
  }

  @Test func `zones beside the whole hour have slots at their own hours`() throws {
    let kolkata = try bookableCalendar("Asia/Kolkata", schedule(everyDay("09:00-12:00")))
    let indian = ["2026-03-09T03:30", "2026-03-09T04:30", "2026-03-09T05:30"]
    #expect(try kolkata.listed("2026-03-09T00:00", "2026-03-10T00:00") == indian)
    let kathmandu = try bookableCalendar("Asia/Kathmandu", schedule(everyDay("09:00-12:00")))
    let nepali = ["2026-03-09T03:15", "2026-03-09T04:15", "2026-03-09T05:15"]
    #expect(try kathmandu.listed("2026-03-09T00:00", "2026-03-10T00:00") == nepali)
  }

  @Test func `a booking in Kathmandu blocks its own hour and nothing more`() throws {
    let kathmandu = try bookableCalendar("Asia/Kathmandu", schedule(everyDay("09:00-12:00")))
    let busy = try [timeRange("2026-03-09T04:15", "2026-03-09T05:15")]
    let free = try kathmandu.listed("2026-03-09T00:00", "2026-03-10T00:00", busy: busy)
    #expect(free == ["2026-03-09T03:15", "2026-03-09T05:15"])
  }
}
