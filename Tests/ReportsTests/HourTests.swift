import Foundation
import Reports
import Testing

struct HourTests {
  @Test(arguments: [
    BucketStart("UTC", "2026-11-23T12:59", "2026-11-23T12:00"),
    BucketStart("UTC", "2026-11-23T00:00", "2026-11-23T00:00"),
    BucketStart("America/Sao_Paulo", "2026-11-23T12:59", "2026-11-23T12:00"),
    // The hour after the midnight that does not exist.
    BucketStart("America/Sao_Paulo", "2018-11-04T02:59", "2018-11-04T02:00"),
    BucketStart("America/Sao_Paulo", "2018-11-04T03:00", "2018-11-04T03:00"),
    BucketStart("America/Sao_Paulo", "2018-11-04T03:30", "2018-11-04T03:00"),
    // 23:00 to 24:00 came twice, and is two hours.
    BucketStart("America/Sao_Paulo", "2018-02-18T01:30", "2018-02-18T01:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T02:00", "2018-02-18T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T02:30", "2018-02-18T02:00"),
    BucketStart("America/Sao_Paulo", "2018-02-18T03:30", "2018-02-18T03:00"),
    BucketStart("America/New_York", "2026-03-08T06:59", "2026-03-08T06:00"),
    BucketStart("America/New_York", "2026-03-08T07:01", "2026-03-08T07:00"),
    BucketStart("America/New_York", "2026-11-01T05:30", "2026-11-01T05:00"),
    BucketStart("America/New_York", "2026-11-01T06:30", "2026-11-01T06:00"),
    // Quarters and halves: the hour begins where the clock on the wall shows one.
    BucketStart("Asia/Kathmandu", "2026-11-23T00:20", "2026-11-23T00:15"),
    BucketStart("Asia/Kathmandu", "2026-11-23T00:15", "2026-11-23T00:15"),
    BucketStart("Asia/Kathmandu", "2026-11-23T00:10", "2026-11-22T23:15"),
    BucketStart("Asia/Kolkata", "2026-11-23T00:10", "2026-11-22T23:30"),
    BucketStart("America/St_Johns", "2026-11-23T12:10", "2026-11-23T11:30"),
    BucketStart("Australia/Lord_Howe", "2026-07-01T00:10", "2026-06-30T23:30"),
    BucketStart("Australia/Lord_Howe", "2026-12-01T00:10", "2026-12-01T00:00"),
    BucketStart("Australia/Lord_Howe", "2026-04-04T14:45", "2026-04-04T14:00"),
    BucketStart("Australia/Lord_Howe", "2026-04-04T15:40", "2026-04-04T15:30"),
    BucketStart("Australia/Lord_Howe", "2026-10-03T15:10", "2026-10-03T14:30"),
    BucketStart("Australia/Lord_Howe", "2026-10-03T16:10", "2026-10-03T16:00"),
  ])
  func `an instant falls into the hour of the business' clock`(_ example: BucketStart) throws {
    let instant = try utc(example.instant)
    #expect(try utcText(calendar(example.zone).start(of: .hour, at: instant)) == example.start)
  }

  @Test(arguments: ["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe"])
  func `an instant falls into its minute, in whatever zone`(_ zone: String) throws {
    let calendar = try calendar(zone)
    let minute = try utc("2026-11-23T12:34")
    for seconds in [0, 0.001, 1, 30.5, 59, 59.999] {
      #expect(calendar.start(of: .minute, at: minute + seconds) == minute)
    }
    #expect(calendar.start(of: .minute, at: minute + 60) == minute + 60)
    #expect(calendar.start(of: .minute, at: minute - 0.001) == minute - 60)
  }

  @Test func `a minute before 1970 begins before its instants too`() throws {
    let calendar = try calendar("UTC")
    #expect(calendar.start(of: .minute, at: Date(timeIntervalSince1970: -1)).timeIntervalSince1970 == -60)
    #expect(calendar.start(of: .hour, at: Date(timeIntervalSince1970: -1)).timeIntervalSince1970 == -3_600)
  }
}
