import Foundation
import TestServers
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
    "2026-11-24T09:00:00-0٣:00", "٢٠٢٦-11-24T09:00:00Z", "2026-11-24T09:00:00-03:60", "2026-11-24T09:00:00-19:00",
    "2026-11-24T09:00:00−03:00", "2026-11-24T09:00:0\u{663}Z", "2026-11-24T23:59:60Z", "2026-04-31T12:00:00Z",
    "2026-00-10T12:00:00Z", "2026-01-00T12:00:00Z", "2026-11-24T14:00:00+3:000", "2026-11-24T14:00:00-+3:00",
  ])
  func `anything else is not read`(_ text: String) { #expect(RFC3339.parse(text) == nil) }

  @Test func `a date is written in the given zone`() throws {
    let date = Date(timeIntervalSince1970: 1_795_539_600)
    #expect(RFC3339.string(date) == "2026-11-24T17:00:00Z")
    #expect(RFC3339.string(date, in: try #require(TimeZone(secondsFromGMT: -10_800))) == "2026-11-24T14:00:00-03:00")
  }

  @Test func `what Foundation writes is what is written, over a century and in odd zones`() throws {
    var random = SeededRandom(seed: 3)
    let zones = try ["America/Sao_Paulo", "Asia/Kathmandu", "Europe/London", "America/St_Johns", "Pacific/Kiritimati"]
      .map { try #require(TimeZone(identifier: $0)) }
    for _ in 0..<2_000 {
      let date = Date(timeIntervalSince1970: .init(Int.random(in: 946_684_800..<4_102_444_800, using: &random)))
      let zone = try #require(zones.randomElement(using: &random))
      let expected = date.formatted(
        Date.ISO8601FormatStyle(timeZone: zone).year().month().day().timeZone(separator: .colon).time(
          includingFractionalSeconds: false
        ).dateTimeSeparator(.standard))
      let text = RFC3339.string(date, in: zone)
      #expect(text == expected)
      if (2000...2099).contains(Int(text.prefix(4)) ?? 0) { #expect(RFC3339.parse(text) == date, "\(text)") }
    }
  }

  @Test(arguments: [-1e300, -1e12, 1e12, 1e300]) func `an absurd date does not trap`(_ seconds: TimeInterval) {
    #expect(!RFC3339.string(Date(timeIntervalSince1970: seconds)).isEmpty)
  }
}
