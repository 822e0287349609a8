import Foundation
import Reports
import Testing

struct DayTests {
  @Test(arguments: [
    BucketStart("UTC", "2026-11-23T23:59", "2026-11-23T00:00"),
    BucketStart("America/Sao_Paulo", "2026-11-23T02:59", "2026-11-22T03:00"),
    BucketStart("America/Sao_Paulo", "2026-11-23T03:00", "2026-11-23T03:00"),
    BucketStart("America/Manaus", "2026-11-23T03:59", "2026-11-22T04:00"),
    // No midnight: the day begins at one o'clock.
    BucketStart("America/Sao_Paulo", "2018-11-04T02:59", "2018-11-03T03:00"),
    BucketStart("America/Sao_Paulo", "2018-11-04T03:00", "2018-11-04T03:00"),
    BucketStart("America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00"),
    BucketStart("America/Sao_Paulo", "2018-11-05T01:59", "2018-11-04T03:00"),
    BucketStart("America/Sao_Paulo", "2018-11-05T02:00", "2018-11-05T02:00"),
    // The last hour twice: both belong to the day.
    BucketStart("America/Sao_Paulo", "2018-02-17T02:00", "2018-02-17T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T01:30", "2018-02-17T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T02:00", "2018-02-17T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T02:30", "2018-02-17T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T02:59", "2018-02-17T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T03:00", "2018-02-18T03:00"),
    BucketStart("America/New_York", "2026-03-09T03:59", "2026-03-08T05:00"),
    BucketStart("America/New_York", "2026-11-02T04:59", "2026-11-01T04:00"),
    BucketStart("Australia/Lord_Howe", "2026-04-05T13:29", "2026-04-04T13:00"),
    BucketStart("Australia/Lord_Howe", "2026-10-04T12:59", "2026-10-03T13:30"),
    BucketStart("Asia/Kathmandu", "2026-11-22T18:14", "2026-11-21T18:15"),
    BucketStart("Asia/Kathmandu", "2026-11-22T18:15", "2026-11-22T18:15"),
  ])
  func `an instant falls into the day of the business`(_ example: BucketStart) throws {
    let instant = try utc(example.instant)
    #expect(try utcText(calendar(example.zone).start(of: .day, at: instant)) == example.start)
  }

  @Test(
    arguments: zip(
      [
        BucketStart("UTC", "2026-11-23", "2026-11-23T00:00"),
        BucketStart("America/Sao_Paulo", "2026-11-23", "2026-11-23T03:00"),
        BucketStart("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),
        BucketStart("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00"),
        BucketStart("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00"),
        BucketStart("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00"),
        BucketStart("America/New_York", "2026-03-08", "2026-03-08T05:00"),
        BucketStart("America/New_York", "2026-11-01", "2026-11-01T04:00"),
        BucketStart("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00"),
        BucketStart("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30"),
        BucketStart("Asia/Kathmandu", "2026-11-23", "2026-11-22T18:15"),
        BucketStart("UTC", "2028-02-29", "2028-02-29T00:00"),
        BucketStart("UTC", "2000-01-01", "2000-01-01T00:00"), BucketStart("UTC", "2099-12-31", "2099-12-31T00:00"),
      ], [24, 24, 23, 24, 25, 24, 23, 25, 24.5, 23.5, 24, 24, 24, 24] as [Double]))
  func `a day that is named has its first instant, and its length`(_ example: BucketStart, _ hours: Double) throws {
    let calendar = try calendar(example.zone)
    let day = try #require(calendar.day(example.instant))
    #expect(utcText(day.lowerBound) == example.start)
    #expect(day.upperBound.timeIntervalSince(day.lowerBound) == hours * 3_600)
    #expect(calendar.dayText(day.lowerBound) == example.instant)
    #expect(calendar.dayText(day.upperBound - 0.5) == example.instant)
    #expect(calendar.dayText(day.upperBound) != example.instant)
  }

  @Test(arguments: [
    "", "2026", "2026-11", "2026-11-23T00:00", "2026-11-23 ", " 2026-11-23", "2026-1-23", "2026-011-23", "26-11-23",
    "2026-00-10", "2026-13-10", "2026-11-00", "2026-11-31", "2026-02-29", "2100-01-01", "1999-12-31", "2026/11/23",
    "23-11-2026", "2026-+1-23", "2026-11-+3", "+026-11-23", "2026--1-23", "2026-11--3", "2026-1a-23", "٢٠٢٦-١١-٢٣",
    "hoje", "----------", "2026-11- 3", "2026-11-3 ",
  ])
  func `what is no day is none`(_ text: String) throws {
    #expect(try calendar("America/Sao_Paulo").day(text) == nil)
  }

  @Test func `a day that a zone leapt over is none`() throws {
    let calendar = try calendar("Pacific/Apia")
    #expect(calendar.day("2011-12-30") == nil)
    #expect(calendar.day("2011-12-29") != nil && calendar.day("2011-12-31") != nil)
  }

  @Test func `days follow each other without a gap`() throws {
    for zone in ["America/Sao_Paulo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"] {
      let calendar = try calendar(zone)
      var day = try #require(calendar.day("2017-12-31"))
      for _ in 0..<800 {
        let next = try #require(calendar.day(calendar.dayText(day.upperBound)))
        try #require(next.lowerBound == day.upperBound, "after \(calendar.dayText(day.lowerBound)) in \(zone)")
        day = next
      }
    }
  }
}
