import Foundation
import Jobs
import Testing

@testable import JobsPostgres

struct ReceiptPartitionTests {
  private static let day = 86_400.0
  /// Thursday, 24 December 2026, 00:00 UTC.
  private static let christmasEve = Date(timeIntervalSince1970: 1_798_070_400)

  private func partitions(_ names: [String]) throws -> [ReceiptPartition] {
    try names.map { try #require(ReceiptPartition(name: $0)) }
  }

  @Test func `a partition is named after its week's first day, a Thursday`() throws {
    let week = ReceiptPartition(of: Self.christmasEve)
    #expect(week.name == "receipt_20261224")
    #expect(week.start == Self.christmasEve)
    #expect(week.end == Self.christmasEve + 7 * Self.day)
    #expect(ReceiptPartition(of: Self.christmasEve - 0.001).name == "receipt_20261217")
    #expect(ReceiptPartition(of: Self.christmasEve + 7 * Self.day - 0.001) == week)
    #expect(ReceiptPartition(of: Self.christmasEve + 7 * Self.day).name == "receipt_20261231")
    #expect(ReceiptPartition(week: 0).name == "receipt_19700101")
  }

  @Test func `names are read as they are written, for sixty years`() throws {
    for week in 2_900..<6_000 {
      let partition = ReceiptPartition(week: week)
      #expect(ReceiptPartition(name: partition.name) == partition)
    }
  }

  @Test(arguments: [
    "receipt_default", "receipt", "receipt_", "receipt_20261225", "receipt_20261399", "receipt_2026122", "receipt_0",
    "receipt_202612240", "receipt_20261224_pkey", "receipt_+2026122", "outbox_20261224", "receipt_99999999",
    "receipt_999999999999999999999999999999",
  ])
  func `other tables are no partitions of a week`(_ name: String) {
    #expect(ReceiptPartition(name: name) == nil)
  }

  @Test func `the bounds are the ids of the week's first millisecond and the next week's`() {
    let week = ReceiptPartition(of: Self.christmasEve)
    // 1,798,070,400,000 milliseconds.
    #expect(week.lowerBound.uuidString == "01A2A558-F400-0000-0000-000000000000")
    #expect(week.upperBound == ReceiptPartition(week: week.week + 1).lowerBound)
    #expect(ReceiptPartition(week: 0).lowerBound.uuidString == "00000000-0000-0000-0000-000000000000")
  }

  @Test func `an id lies in the partition of its time, at the edges as well`() {
    for week in stride(from: 2_900, to: 6_000, by: 100).map(ReceiptPartition.init(week:)) {
      for instant in [week.start, week.start + 0.001, week.start + 3.5 * Self.day, week.end - 0.001] {
        let id = JobID(.version7(at: instant))
        #expect(!(id < JobID(week.lowerBound)) && id < JobID(week.upperBound), "\(week.name) at \(instant)")
      }
      #expect(JobID(.version7(at: week.start - 0.002)) < JobID(week.lowerBound))
      #expect(!(JobID(.version7(at: week.end)) < JobID(week.upperBound)))
    }
  }

  @Test func `partitions are made for two weeks ahead, and none of a week that has begun`() throws {
    let made = ReceiptPartition.missing(at: Self.christmasEve + 3 * Self.day, among: [])
    #expect(made.map(\.name) == ["receipt_20261231", "receipt_20270107"])
    for day in 0..<21 {
      let now = Self.christmasEve + Double(day) * Self.day
      let made = ReceiptPartition.missing(at: now, among: [])
      #expect(made.allSatisfy { $0.start > now })
      #expect(made.contains(ReceiptPartition(of: now + 14 * Self.day)))
    }
  }

  @Test func `what exists is not made again, nor what lies before it`() throws {
    func missing(_ existing: String...) throws -> [String] {
      ReceiptPartition.missing(at: Self.christmasEve, among: try partitions(existing)).map(\.name)
    }
    #expect(try missing("receipt_20261231") == ["receipt_20270107"])
    #expect(try missing("receipt_20270107").isEmpty)
    #expect(try missing("receipt_20270603").isEmpty)
    // After a long time without pruning.
    #expect(try missing("receipt_20260101", "receipt_20260108") == ["receipt_20261231", "receipt_20270107"])
  }

  @Test func `partitions are over when all of their week lies before the cutoff`() throws {
    let existing = try partitions(["receipt_20261231", "receipt_20261217", "receipt_20261224"])
    let end = Self.christmasEve + 7 * Self.day
    #expect(ReceiptPartition.expired(before: end - 0.001, among: existing).map(\.name) == ["receipt_20261217"])
    #expect(
      ReceiptPartition.expired(before: end, among: existing).map(\.name) == ["receipt_20261217", "receipt_20261224"])
    #expect(ReceiptPartition.expired(before: .distantPast, among: existing).isEmpty)
  }
}
