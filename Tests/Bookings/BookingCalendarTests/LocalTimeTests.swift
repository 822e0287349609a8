import Foundation
import Testing

@testable import BookingCalendar

struct LocalTimeTests {
  @Test(arguments: zip(["00:00", "00:01", "08:30", "12:00", "23:59", "24:00"], [0, 1, 510, 720, 1_439, 1_440]))
  func `a time is read and written the same way`(_ text: String, _ minutes: Int) throws {
    #expect(try wallTime(text).minutes == minutes)
    #expect(try wallTime(text).description == text)
    #expect(try LocalTime(minutes: minutes) == wallTime(text))
  }

  @Test(arguments: [
    "", "8:30", "08:3", "0830", "08:30:00", "08-30", "24:01", "25:00", "23:60", "-1:30", "ab:cd", " 8:30", "08: 0",
  ])
  func `what is no time is refused`(_ text: String) {
    #expect(LocalTime(text) == nil)
  }

  @Test(arguments: ["+8:30", "08:+5", "-0:00", "00:-0"])
  func `a sign has no place in a time`(_ text: String) {
    #expect(LocalTime(text) == nil)
  }

  @Test(arguments: [-1, 1_441, Int.min, Int.max])
  func `minutes outside of a day are refused`(_ minutes: Int) {
    #expect(LocalTime(minutes: minutes) == nil)
  }

  @Test func `times are ordered through the day`() throws {
    let texts = ["00:00", "08:30", "08:31", "23:59", "24:00"]
    #expect(try texts.reversed().map(wallTime).sorted().map(\.description) == texts)
  }

  @Test func `a time is coded as its text`() throws {
    let times = try ["08:30", "24:00"].map(wallTime)
    let document = try JSONEncoder().encode(times)
    #expect(String(decoding: document, as: UTF8.self) == #"["08:30","24:00"]"#)
    #expect(try JSONDecoder().decode([LocalTime].self, from: document) == times)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([LocalTime].self, from: Data(#"["8.30"]"#.utf8)) }
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([LocalTime].self, from: Data("[510]".utf8)) }
  }
}
