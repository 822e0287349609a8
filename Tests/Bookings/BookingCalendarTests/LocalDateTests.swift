import Foundation
import TestServers
import Testing

@testable import BookingCalendar

struct LocalDateTests {
  /// A date, and another so many days later.
  struct Step: Sendable {
    let from: String
    let days: Int
    let to: String
  }

  @Test(arguments: ["2026-12-25", "2024-02-29", "2000-02-29", "1999-01-31", "0001-01-01", "9999-12-31"])
  func `a date is read and written the same way`(_ text: String) throws {
    #expect(try date(text).description == text)
  }

  @Test func `a date has the parts it was written with`() throws {
    #expect(try date("2026-03-08") == LocalDate(year: 2026, month: 3, day: 8))
  }

  @Test(arguments: [
    "", "2026", "2026-12", "2026-2-03", "2026-02-3", "26-12-25", "2026/12/25", "2026-12-25T00", "2026-12-25-",
    " 2026-01-01",
    "2026-01-1 ", "2026-13-01", "2026-00-10", "2026-12-00", "2026-12-32", "2026-04-31", "2026-02-30", "2025-02-29",
    "1900-02-29", "2026-xx-01", "２０２６-01-01",
  ])
  func `what is no date is refused`(_ text: String) {
    #expect(LocalDate(text) == nil)
  }

  @Test(arguments: ["+026-01-01", "-026-01-01", "2026-+1-05", "2026--1-05", "2026-01-+5", "2026-01--5"])
  func `a sign has no place in a date`(_ text: String) {
    #expect(LocalDate(text) == nil)
  }

  @Test(
    arguments: zip(
      ["2026-03-09", "2018-11-04", "2000-01-01", "2024-02-29", "2026-12-25", "1970-01-01", "2100-03-01", "1900-02-28"],
      [Weekday.monday, .sunday, .saturday, .thursday, .friday, .thursday, .monday, .wednesday]))
  func `dates whose weekday is known`(_ text: String, _ weekday: Weekday) throws {
    #expect(try date(text).weekday == weekday)
  }

  @Test func `weekdays follow each other without end`() throws {
    var day = try date("1899-12-25")
    #expect(day.weekday == .monday)
    for step in 1...800 {
      day = day.adding(days: 1)
      #expect(day.weekday == Weekday.allCases[step % 7], "\(day)")
    }
  }

  @Test func `weekdays are those of the calendar`() throws {
    var random = SeededRandom(seed: 1)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    for _ in 0..<300 {
      let instant = Date(timeIntervalSince1970: .random(in: -2_000_000_000...8_000_000_000, using: &random))
      let day = LocalDate(instant, in: .gmt)
      let fromMonday = (calendar.component(.weekday, from: instant) + 5) % 7
      #expect(day.weekday == Weekday.allCases[fromMonday], "\(day)")
    }
  }

  @Test(arguments: [
    Step(from: "2026-01-31", days: 1, to: "2026-02-01"), Step(from: "2026-12-31", days: 1, to: "2027-01-01"),
    Step(from: "2026-01-01", days: -1, to: "2025-12-31"), Step(from: "2024-02-28", days: 1, to: "2024-02-29"),
    Step(from: "2024-02-28", days: 2, to: "2024-03-01"), Step(from: "2025-02-28", days: 1, to: "2025-03-01"),
    Step(from: "2024-03-01", days: -1, to: "2024-02-29"), Step(from: "2026-03-08", days: 0, to: "2026-03-08"),
    Step(from: "2024-02-29", days: 366, to: "2025-03-01"), Step(from: "2026-06-15", days: -1_000, to: "2023-09-19"),
    Step(from: "2000-01-01", days: 36_525, to: "2100-01-01"),
  ])
  func `adding days counts them on the calendar`(_ step: Step) throws {
    #expect(try date(step.from).adding(days: step.days) == date(step.to))
  }

  @Test func `days that are added can be taken away again`() throws {
    var random = SeededRandom(seed: 2)
    for _ in 0..<200 {
      let day = LocalDate(year: .random(in: 1900...2100, using: &random), month: 1, day: 1)
        .adding(days: .random(in: 0...364, using: &random))
      let count = Int.random(in: 1...5_000, using: &random)
      #expect(day.adding(days: count) > day)
      #expect(day.adding(days: count).adding(days: -count) == day)
    }
  }

  @Test func `dates are ordered by year, then month, then day`() throws {
    let texts = ["2025-12-31", "2026-01-01", "2026-01-02", "2026-02-01", "2027-01-01"]
    #expect(try texts.reversed().map(date).sorted().map(\.description) == texts)
  }

  @Test func `one instant is another date in another zone`() throws {
    let instant = try utc("2026-03-08T23:30")
    #expect(try LocalDate(instant, in: zone("Asia/Kathmandu")) == date("2026-03-09"))
    #expect(try LocalDate(instant, in: zone("America/Sao_Paulo")) == date("2026-03-08"))
    #expect(try LocalDate(instant, in: zone("Pacific/Kiritimati")) == date("2026-03-09"))
  }

  @Test func `a date is coded as its text`() throws {
    let days = try ["2026-12-25", "2027-01-01"].map(date)
    let document = try JSONEncoder().encode(days)
    #expect(String(decoding: document, as: UTF8.self) == #"["2026-12-25","2027-01-01"]"#)
    #expect(try JSONDecoder().decode([LocalDate].self, from: document) == days)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([LocalDate].self, from: Data(#"["25.12.2026"]"#.utf8))
    }
  }
}
