import Foundation
import Reports
import TestServers
import Testing

/// What holds for every instant, in each granularity: above all around the changes of the clocks.
struct RollupPropertyTests {
  /// Instants spread over 35 years, and close together around some changes.
  private func instants(_ seed: UInt64) throws -> [Date] {
    var random = SeededRandom(seed: seed)
    let changes = [
      "2018-02-18T03:00", "2018-11-04T03:00", "2026-03-08T07:00", "2026-11-01T06:00", "2026-04-04T15:00",
      "2026-10-03T15:30", "2011-12-30T10:00",
    ]
    let spread = (0..<300).map { _ in
      Date(timeIntervalSince1970: Double.random(in: 946_684_800...2_051_222_400, using: &random))
    }
    let close = try changes.flatMap { text -> [Date] in
      let change = try utc(text)
      return stride(from: -27.0 * 3_600, through: 27 * 3_600, by: 17 * 60 + 1).map { change + $0 }
        + stride(from: -5_400.0, through: 5_400, by: 300).map { change + $0 }
    }
    return spread + close
  }

  private static let zones = [
    "America/Sao_Paulo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "America/Manaus",
    "America/Rio_Branco", "Pacific/Apia", "Europe/Lisbon",
  ]

  @Test(arguments: RollupPropertyTests.zones, Granularity.allCases)
  func `an instant lies between its start and the next, and a start is its own`(
    _ zone: String, _ granularity: Granularity
  ) throws {
    let calendar = try calendar(zone)
    let longest: TimeInterval =
      switch granularity {
      case .minute: 60
      case .hour: 5_400  // at most: half an hour that came twice
      case .day: 25 * 3_600
      }
    for instant in try instants(31) {
      let start = calendar.start(of: granularity, at: instant)
      #expect(start <= instant && instant.timeIntervalSince(start) < longest, "\(utcText(instant))")
      let own = calendar.start(of: granularity, at: start)
      #expect(own == start, "\(utcText(instant)): the start of \(utcText(start)) is \(utcText(own))")
      // What lies between has the same start, so the next one comes after the instant.
      let between = calendar.start(of: granularity, at: start + instant.timeIntervalSince(start) / 2)
      #expect(between == start, "\(utcText(instant)): what lies before it has the start \(utcText(between))")
    }
  }

  @Test(arguments: RollupPropertyTests.zones)
  func `a minute lies in one hour, and an hour's start in the day of its instants`(_ zone: String) throws {
    let calendar = try calendar(zone)
    for instant in try instants(32) {
      let minute = calendar.start(of: .minute, at: instant)
      let hour = calendar.start(of: .hour, at: instant)
      #expect(calendar.start(of: .hour, at: minute) == hour, "\(utcText(instant))")
      #expect(calendar.start(of: .day, at: minute) == calendar.start(of: .day, at: instant), "\(utcText(instant))")
      #expect(calendar.start(of: .day, at: hour) == calendar.start(of: .day, at: instant), "\(utcText(instant))")
    }
  }

  @Test(arguments: RollupPropertyTests.zones)
  func `the day an instant falls on begins where its day does`(_ zone: String) throws {
    let calendar = try calendar(zone)
    for instant in try instants(33) {
      let day = try #require(calendar.day(calendar.dayText(instant)), "\(utcText(instant))")
      #expect(day.contains(instant), "\(utcText(instant))")
      #expect(day.lowerBound == calendar.start(of: .day, at: instant), "\(utcText(instant))")
    }
  }
}
