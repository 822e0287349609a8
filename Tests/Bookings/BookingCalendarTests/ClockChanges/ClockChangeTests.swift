import Foundation
import Testing

@testable import BookingCalendar

struct ClockChangeTests {
  /// A time on the wall somewhere, and the instant it stands for.
  struct WallTime: Sendable, CustomTestStringConvertible {
    let zone: String
    let date: String
    let time: String
    let instant: String

    init(_ zone: String, _ date: String, _ time: String, _ instant: String) {
      self.zone = zone
      self.date = date
      self.time = time
      self.instant = instant
    }

    var testDescription: String { "\(date) \(time) in \(zone)" }
  }

  private func resolved(_ wall: WallTime) throws -> String {
    utcText(try wallTime(wall.time).instant(on: date(wall.date), in: zone(wall.zone)))
  }

  @Test(arguments: [
    WallTime("America/New_York", "2026-03-08", "02:00", "2026-03-08T07:00"),
    WallTime("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30"),
    WallTime("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30"),
    WallTime("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45"),
    WallTime("America/Sao_Paulo", "2018-11-04", "00:00", "2018-11-04T03:00"),
    WallTime("America/Sao_Paulo", "2018-11-04", "00:30", "2018-11-04T03:30"),
  ])
  func `a time that is skipped is moved forward by what is skipped`(_ wall: WallTime) throws {
    #expect(try resolved(wall) == wall.instant)
  }

  @Test(arguments: [
    WallTime("America/New_York", "2026-11-01", "01:00", "2026-11-01T06:00"),
    WallTime("America/New_York", "2026-11-01", "01:30", "2026-11-01T06:30"),
    WallTime("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T01:30"),
    WallTime("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T15:15"),
    WallTime("America/Sao_Paulo", "2018-02-17", "23:00", "2018-02-18T02:00"),
    WallTime("America/Sao_Paulo", "2018-02-17", "23:30", "2018-02-18T02:30"),
  ])
  func `of a time that happens twice the later is meant`(_ wall: WallTime) throws {
    #expect(try resolved(wall) == wall.instant)
  }

  @Test(arguments: [
    WallTime("America/New_York", "2026-03-08", "03:00", "2026-03-08T07:00"),
    WallTime("America/New_York", "2026-11-01", "00:59", "2026-11-01T04:59"),
    WallTime("America/New_York", "2026-11-01", "02:00", "2026-11-01T07:00"),
    WallTime("Europe/Berlin", "2026-10-25", "01:59", "2026-10-24T23:59"),
    WallTime("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00"),
    WallTime("Australia/Lord_Howe", "2026-10-04", "02:30", "2026-10-03T15:30"),
    WallTime("Australia/Lord_Howe", "2026-04-05", "01:29", "2026-04-04T14:29"),
    WallTime("Australia/Lord_Howe", "2026-04-05", "02:00", "2026-04-04T15:30"),
    WallTime("America/Sao_Paulo", "2018-11-03", "23:59", "2018-11-04T02:59"),
    WallTime("America/Sao_Paulo", "2018-11-04", "01:00", "2018-11-04T03:00"),
    WallTime("America/Sao_Paulo", "2018-02-17", "22:59", "2018-02-18T00:59"),
    WallTime("America/Sao_Paulo", "2018-02-18", "00:00", "2018-02-18T03:00"),
    WallTime("America/Sao_Paulo", "2026-01-15", "12:00", "2026-01-15T15:00"),
    WallTime("Asia/Kolkata", "2026-03-09", "00:00", "2026-03-08T18:30"),
    WallTime("Asia/Kathmandu", "2026-03-09", "00:00", "2026-03-08T18:15"),
  ])
  func `beside a change of clocks, and where there is none, a time is what it says`(_ wall: WallTime) throws {
    #expect(try resolved(wall) == wall.instant)
  }

  @Test(arguments: [
    WallTime("America/Sao_Paulo", "2018-11-03", "24:00", "2018-11-04T03:00"),
    WallTime("America/Sao_Paulo", "2018-02-17", "24:00", "2018-02-18T03:00"),
    WallTime("America/New_York", "2026-03-08", "24:00", "2026-03-09T04:00"),
    WallTime("Asia/Kathmandu", "2026-12-31", "24:00", "2026-12-31T18:15"),
  ])
  func `the end of a day is the beginning of the next, whenever that is`(_ wall: WallTime) throws {
    #expect(try resolved(wall) == wall.instant)
  }
}
