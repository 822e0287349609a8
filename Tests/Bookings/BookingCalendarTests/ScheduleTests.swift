import Foundation
import Testing

@testable import BookingCalendar

struct ScheduleTests {
  private static let document = """
    {"breaks":{"monday":[{"end":"13:00","start":"12:00"}]},\
    "overrides":{"2026-12-24":[{"end":"12:00","start":"09:00"}],"2026-12-25":[]},\
    "weekly":{"friday":[{"end":"02:00","start":"22:30"}],\
    "monday":[{"end":"12:00","start":"09:00"},{"end":"24:00","start":"13:00"}]}}
    """

  private func example() throws -> Schedule {
    try schedule(
      [.monday: ["09:00-12:00", "13:00-24:00"], .friday: ["22:30-02:00"]], breaks: [.monday: ["12:00-13:00"]],
      overrides: ["2026-12-24": ["09:00-12:00"], "2026-12-25": []])
  }

  private func read(_ document: String) throws -> Schedule {
    try JSONDecoder().decode(Schedule.self, from: Data(document.utf8))
  }

  @Test func `a schedule is read from days, dates and times`() throws {
    #expect(try read(Self.document) == example())
  }

  @Test func `a schedule is written under names of days and dates`() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(try String(decoding: encoder.encode(example()), as: UTF8.self) == Self.document)
  }

  @Test func `a schedule survives coding`() throws {
    let document = try JSONEncoder().encode(example())
    #expect(try JSONDecoder().decode(Schedule.self, from: document) == example())
  }

  @Test func `what is left out of a schedule is empty`() throws {
    #expect(try read("{}") == schedule([:]))
    let weekly = #"{"weekly": {"sunday": [{"start": "09:00", "end": "10:00"}]}}"#
    #expect(try read(weekly) == schedule([.sunday: ["09:00-10:00"]]))
  }

  @Test(arguments: [
    "[]", #""monday""#, #"{"weekly": []}"#, #"{"weekly": {"monday": {}}}"#, #"{"weekly": {"monday": [[]]}}"#,
    #"{"weekly": {"monday": [{"start": "09:00"}]}}"#, #"{"weekly": {"monday": [{"end": "09:00"}]}}"#,
    #"{"weekly": {"monday": [{"start": "9:00", "end": "18:00"}]}}"#,
    #"{"weekly": {"monday": [{"start": "09:00", "end": "24:30"}]}}"#,
    #"{"weekly": {"monday": [{"start": 540, "end": 600}]}}"#, #"{"overrides": {"2026-12-25": null}}"#,
  ])
  func `what is no schedule is refused`(_ document: String) {
    #expect(throws: DecodingError.self) { try read(document) }
  }

  @Test(
    arguments: zip(
      [
        #"{"weekly": {"mon": []}}"#, #"{"weekly": {"Monday": []}}"#, #"{"breaks": {"someday": []}}"#,
        #"{"overrides": {"2026-02-30": []}}"#, #"{"overrides": {"tomorrow": []}}"#,
      ], ["mon", "Monday", "someday", "2026-02-30", "tomorrow"]))
  func `a day that does not exist is refused by name`(_ document: String, _ name: String) throws {
    let error = try #require(throws: DecodingError.self) { try read(document) }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(error) is not dataCorrupted")
      return
    }
    #expect(context.debugDescription.contains(name))
  }

  @Test func `one date written in two ways is refused, not fatal`() {
    #expect(throws: DecodingError.self) { try read(#"{"overrides": {"2026-+1-05": []}}"#) }
  }

  @Test func `a date without an override has its weekday's hours and breaks`() throws {
    let monday = Schedule.Day.open(
      hours: try ["09:00-12:00", "13:00-24:00"].map(hours), breaks: try ["12:00-13:00"].map(hours))
    #expect(try example().day(date("2026-12-21")) == monday)
    #expect(try example().day(date("2026-12-22")) == .off)
  }

  @Test func `an override replaces the day, breaks included`() throws {
    var changed = try example()
    changed.overrides[try date("2026-12-21")] = [try hours("10:00-16:00")]
    #expect(try changed.day(date("2026-12-21")) == .open(hours: [hours("10:00-16:00")], breaks: []))
    #expect(try changed.day(date("2026-12-25")) == .off)
    #expect(try changed.day(date("2026-12-24")) == .open(hours: [hours("09:00-12:00")], breaks: []))
  }

  @Test func `a weekday with an empty list is off`() throws {
    #expect(try schedule([.monday: []]).day(date("2026-12-21")) == .off)
  }
}
