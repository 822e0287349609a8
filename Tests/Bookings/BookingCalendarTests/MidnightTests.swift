import Foundation
import Testing

@testable import BookingCalendar

/// Hours, slots and overrides around midnight. 2026-03-09 is a Monday.
struct MidnightTests {
  @Test func `hours that cross midnight have slots on both sides, and one across`() throws {
    let bar = try bookableCalendar("UTC", schedule([.monday: ["22:30-02:00"]]), service(60, every: 30))
    let slots = [
      "2026-03-09T22:30", "2026-03-09T23:00", "2026-03-09T23:30", "2026-03-10T00:00", "2026-03-10T00:30",
      "2026-03-10T01:00",
    ]
    #expect(try bar.listed("2026-03-08T00:00", "2026-03-12T00:00") == slots)
    #expect(try bar.refusals("2026-03-09T23:30").isEmpty)
    #expect(try bar.refusals("2026-03-10T01:00").isEmpty)
    #expect(try bar.refusals("2026-03-10T01:30") != [])
  }

  @Test func `hours that cross midnight are the evening's in the zone of the business`() throws {
    let bar = try bookableCalendar("America/Sao_Paulo", schedule([.monday: ["22:30-02:00"]]), service(60))
    let slots = ["2026-03-10T01:30", "2026-03-10T02:30", "2026-03-10T03:30"]
    #expect(try bar.listed("2026-03-08T00:00", "2026-03-12T00:00") == slots)
    #expect(try bar.refusals("2026-03-10T02:30").isEmpty)
  }

  @Test func `hours that cross the midnight that does not exist`() throws {
    let bar = try bookableCalendar("America/Sao_Paulo", schedule([.saturday: ["22:30-02:00"]]))
    #expect(try bar.listed("2018-11-03T12:00", "2018-11-05T12:00") == ["2018-11-04T01:30", "2018-11-04T02:30"])
  }

  @Test func `hours that cross the hour that happens twice`() throws {
    let bar = try bookableCalendar("America/Sao_Paulo", schedule([.saturday: ["22:30-02:00"]]))
    let slots = ["2018-02-18T00:30", "2018-02-18T01:30", "2018-02-18T02:30", "2018-02-18T03:30"]
    #expect(try bar.listed("2018-02-17T12:00", "2018-02-19T12:00") == slots)
  }

  @Test func `hours until 24:00 reach the end of the day and not further`() throws {
    let late = try bookableCalendar("UTC", schedule([.monday: ["22:00-24:00"]]), service(60, every: 30))
    let slots = ["2026-03-09T22:00", "2026-03-09T22:30", "2026-03-09T23:00"]
    #expect(try late.listed("2026-03-09T00:00", "2026-03-11T00:00") == slots)
    #expect(try late.refusals("2026-03-09T23:30") == [.outsideWorkingHours])
  }

  @Test func `hours that meet at midnight are one window`() throws {
    let split = try bookableCalendar(
      "UTC", schedule([.monday: ["22:30-24:00"], .tuesday: ["00:00-02:00"]]), service(60))
    #expect(try split.refusals("2026-03-09T23:30").isEmpty)
    let slots = ["2026-03-09T22:30", "2026-03-09T23:30", "2026-03-10T00:00", "2026-03-10T01:00"]
    #expect(try split.listed("2026-03-09T00:00", "2026-03-11T00:00") == slots)
  }

  @Test func `around the clock every slot follows the last one's grid of its day`() throws {
    let always = try bookableCalendar("UTC", schedule(everyDay("00:00-24:00")), service(90, every: 45))
    let slots = ["2026-03-09T22:30", "2026-03-09T23:15", "2026-03-10T00:00", "2026-03-10T00:45", "2026-03-10T01:30"]
    #expect(try always.listed("2026-03-09T22:00", "2026-03-10T02:00") == slots)
  }

  @Test func `the same start and end are a whole day`() throws {
    let shift = try bookableCalendar("UTC", schedule([.monday: ["08:00-08:00"]]), service(6 * 60))
    let slots = ["2026-03-09T08:00", "2026-03-09T14:00", "2026-03-09T20:00", "2026-03-10T02:00"]
    #expect(try shift.listed("2026-03-08T00:00", "2026-03-12T00:00") == slots)
  }

  @Test func `a break after midnight holds in hours that began the evening before`() throws {
    let night = try bookableCalendar(
      "UTC", schedule(everyDay("22:00-06:00"), breaks: everyDay("02:00-02:30")), service(30))
    let slots = ["2026-03-10T01:00", "2026-03-10T01:30", "2026-03-10T02:30", "2026-03-10T03:00"]
    #expect(try night.listed("2026-03-10T01:00", "2026-03-10T03:30") == slots)
    #expect(try night.refusals("2026-03-10T02:00") == [.duringBreak])
  }

  @Test func `a break across midnight is kept free on both sides`() throws {
    let night = try bookableCalendar(
      "UTC", schedule([.monday: ["22:00-02:00"]], breaks: [.monday: ["23:30-00:30"]]), service(30))
    let slots = [
      "2026-03-09T22:00", "2026-03-09T22:30", "2026-03-09T23:00", "2026-03-10T00:30", "2026-03-10T01:00",
      "2026-03-10T01:30",
    ]
    #expect(try night.listed("2026-03-09T00:00", "2026-03-11T00:00") == slots)
    #expect(try night.refusals("2026-03-10T00:00") == [.duringBreak])
  }

  @Test func `a slot of a long shift that runs on into a third day is listed as well as accepted`() throws {
    let shifts = try bookableCalendar(
      "UTC",
      schedule([.monday: ["23:30-23:00"], .tuesday: ["23:00-24:00"], .wednesday: ["00:00-04:00"]]),
      service(120, every: 30))
    #expect(try shifts.refusals("2026-03-10T22:30").isEmpty)
    #expect(try shifts.listed("2026-03-10T22:30", "2026-03-10T22:31") == ["2026-03-10T22:30"])
  }

  @Test func `the evening before a day off runs to its end`() throws {
    let bar = try bookableCalendar(
      "UTC", schedule(everyDay("22:30-02:00"), overrides: ["2026-03-10": []]), service(60, every: 30))
    let slots = try bar.listed("2026-03-09T22:00", "2026-03-11T22:00")
    #expect(slots.first == "2026-03-09T22:30")
    #expect(slots.last == "2026-03-10T01:00")
  }

  @Test(
    arguments: zip(
      ["Pacific/Auckland", "Pacific/Pago_Pago", "America/Sao_Paulo", "UTC", "Pacific/Kiritimati"],
      ["2026-03-09T11:00", "2026-03-10T11:00", "2026-03-10T03:00", "2026-03-10T00:00", "2026-03-09T10:00"]))
  func `an override of the day's first minutes holds on that day of the business`(_ zone: String, _ slot: String) throws
  {
    let changed = try bookableCalendar(
      zone, schedule(everyDay("09:00-10:00"), overrides: ["2026-03-10": ["00:00-00:15"]]), service(15))
    let range = try timeRange("2026-03-08T00:00", "2026-03-13T00:00")
    let slots = changed.slots(in: range, now: range.start, busy: [])
    let onThatDay = slots.filter { LocalDate($0, in: changed.business.timeZone).description == "2026-03-10" }
    #expect(onThatDay.map(utcText) == [slot])
    #expect(try changed.refusals(slot).isEmpty)
  }
}
