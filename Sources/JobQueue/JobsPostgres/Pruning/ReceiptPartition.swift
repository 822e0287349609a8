internal import Foundation

/// A partition of `jobs.receipt`: the receipts of jobs whose ids were made within one week.
///
/// A job's id is a UUIDv7, which begins with its time, so a range of time is a range of ids. The very first partition,
/// which the migration creates, holds all ids before its week as well; ids of no partition's range fall
/// into the default partition.
///
/// Why a week: a statement that names its jobs by a join, such as the one that cancels jobs, opens every partition.
/// With 7 of them it takes 0.6 ms of a processor and 25 locks; with one a day it would be 26 partitions, 1.3 ms and 82
/// locks (with a single one: 0.3 ms and 6). The cost is that a receipt is kept for up to a week longer than needed.
struct ReceiptPartition: Sendable, Hashable, Comparable {
  /// The number of its week since 1970-01-01, UTC: weeks begin on Thursdays.
  let week: Int

  private static let seconds = 7 * 86_400.0
  /// Partitions are created for at least this time ahead. If no round succeeds for longer, new receipts go into the
  /// default partition.
  private static let secondsAhead = 14 * 86_400.0
  private static let prefix = "receipt_"

  init(week: Int) { self.week = week }

  /// The partition of ids that are made at this instant.
  init(of instant: Date) { week = Int((instant.timeIntervalSince1970 / Self.seconds).rounded(.down)) }

  /// Reads a table's name; nil: this type gives no such name, as for the default partition.
  init?(name: String) {
    guard name.hasPrefix(Self.prefix), name.count == Self.prefix.count + 8,
      let digits = Int(name.dropFirst(Self.prefix.count))
    else { return nil }
    let parts = DateComponents(year: digits / 10_000, month: digits / 100 % 100, day: digits % 100)
    guard let start = Self.calendar.date(from: parts) else { return nil }
    self.init(of: start)
    guard self.name == name else { return nil }
  }

  /// The table's name, after its week's first day: `receipt_20261224`.
  var name: String {
    let parts = Self.calendar.dateComponents([.year, .month, .day], from: start)
    return Self.prefix + String((parts.year ?? 0) * 10_000 + (parts.month ?? 0) * 100 + (parts.day ?? 0))
  }

  var start: Date { Date(timeIntervalSince1970: Double(week) * Self.seconds) }
  /// When the next week begins; all ids of this partition are older.
  var end: Date { next.start }
  /// The lowest id that can be made in its week: the week's first millisecond, then zeros.
  var lowerBound: UUID {
    let milliseconds = UInt64(max(0, week)) * UInt64(Self.seconds * 1_000)
    let bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
    return UUID(uuid: (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  }
  var upperBound: UUID { next.lowerBound }

  private var next: ReceiptPartition { ReceiptPartition(week: week + 1) }

  private static var calendar: Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }

  static func < (left: ReceiptPartition, right: ReceiptPartition) -> Bool { left.week < right.week }

  /// The partitions to be created, oldest first.
  ///
  /// They are of coming weeks only, for which the default partition has hardly any receipts. They follow the newest
  /// existing partition: a gap before it may belong to the first partition's range.
  static func missing(at now: Date, among existing: [ReceiptPartition]) -> [ReceiptPartition] {
    let current = ReceiptPartition(of: now).week
    let first = max(current, existing.map(\.week).max() ?? current) + 1
    let last = ReceiptPartition(of: now.addingTimeInterval(secondsAhead)).week
    return first <= last ? (first...last).map { ReceiptPartition(week: $0) } : []
  }

  /// The partitions none of whose ids was made after `cutoff`, oldest first.
  static func expired(before cutoff: Date, among existing: [ReceiptPartition]) -> [ReceiptPartition] {
    existing.filter { $0.end <= cutoff }.sorted()
  }
}
