import Foundation
import Testing

@testable import HTTP

struct RFC3339Tests {
  @Test(arguments: [
    ("2026-11-24T14:00:00-03:00", 1_795_539_600), ("2026-11-24T17:00:00Z", 1_795_539_600),
    ("2026-11-24T22:30:00+05:30", 1_795_539_600), ("2000-01-01T00:00:00Z", 946_684_800),
    ("2099-12-31T23:59:59Z", 4_102_444_799), ("2024-02-29T12:00:00Z", 1_709_208_000),
  ])
  func `a date and time with an offset is read`(_ text: String, _ seconds: TimeInterval) {
    #expect(RFC3339.parse(text) == Date(timeIntervalSince1970: seconds))
  }

  @Test(arguments: [
    "", "2026-11-24", "2026-11-24T14:00:00", "2026-11-24 14:00:00Z", "2026-11-24T14:00Z", "2026-11-24T14:00:00.5Z",
    "2026-11-24T14:00:00z", "2026-11-24T14:00:00+0300", "2026-11-24T14:00:00Z ", "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z", "2026-02-30T12:00:00Z", "2025-02-29T12:00:00Z", "2026-13-01T12:00:00Z",
    "2026-11-24T25:00:00Z", "2026-11-24T14:60:00Z", "2026-11-24T14:00:00+25:00", "tomorrow",
  ])
  func `anything else is not read`(_ text: String) { #expect(RFC3339.parse(text) == nil) }

  @Test func `a date is written in the given zone`() throws {
    let date = Date(timeIntervalSince1970: 1_795_539_600)
    #expect(RFC3339.string(date) == "2026-11-24T17:00:00Z")
    #expect(RFC3339.string(date, in: try #require(TimeZone(secondsFromGMT: -10_800))) == "2026-11-24T14:00:00-03:00")
  }
}
