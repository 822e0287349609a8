internal import Foundation

/// A partition of `jobs.receipt`: the receipts of jobs whose ids were made within one week.
///
/// A job's id is a UUIDv7, which begins with its time, so a range of time is a range of ids. The very first partition,
/// which the migration made of what was there, holds all ids before its week as well; ids of no partition's range fall
/// into the default partition.
///
/// Why a week: a statement that names its jobs by a join, as the one that cancels jobs does, opens every partition.
/// With 7 of them it takes 0.6 ms of a processor and 25 locks, with the 26 that days would be 1.3 ms and 82 (with one:
/// 0.3 ms and 6). The price is that a receipt is kept for up to a week longer than it must be.
struct ReceiptPartition: Sendable, Hashable, Comparable {
  /// The number of its week since 1970-01-01, UTC: weeks begin on Thursdays.
  let week: Int

  /// Length of a partition's range.
  private static let seconds = 7 * 86_400.0
  /// Partitions are made for this time ahead at least: so long may nobody prune, or every try to make one fail, before
  /// receipts fall into the default partition.
  private static let secondsAhead = 14 * 86_400.0
  private static let prefix = "receipt_"

  /// The partition of a week, by its number.
  init(week: Int) { self.week = week }

  /// The partition of the ids that are made at this instant.
  init(of instant: Date) { week = Int((instant.timeIntervalSince1970 / Self.seconds).rounded(.down)) }

  /// Reads a table's name; nil for one that this type would not give, such as the default partition's.
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

  /// When its week begins.
  var start: Date { Date(timeIntervalSince1970: Double(week) * Self.seconds) }
  /// When the next week begins; no id of this partition is that young.
  var end: Date { next.start }
  /// The lowest id that can be made in its week: the week's first millisecond, and nothing else.
  var lowerBound: UUID {
    let milliseconds = UInt64(max(0, week)) * UInt64(Self.seconds * 1_000)
    let bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
    return UUID(uuid: (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  }
  /// The lowest id of the next week.
  var upperBound: UUID { next.lowerBound }

  private var next: ReceiptPartition { ReceiptPartition(week: week + 1) }

  private static var calendar: Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }

  static func < (left: ReceiptPartition, right: ReceiptPartition) -> Bool { left.week < right.week }

  /// The partitions to be made, oldest first.
  ///
  /// Only of weeks that are still to come, so that hardly any receipt can be in their way; and only behind those that
  /// exist, for a gap may be part of the first partition's range.
  static func missing(at now: Date, among existing: [ReceiptPartition]) -> [ReceiptPartition] {
    let current = ReceiptPartition(of: now).week
    let first = max(current, existing.map(\.week).max() ?? current) + 1
    let last = ReceiptPartition(of: now.addingTimeInterval(secondsAhead)).week
    return first <= last ? (first...last).map { ReceiptPartition(week: $0) } : []
  }

  /// The partitions none of whose ids was made after `cutoff`, oldest first.
  static func over(before cutoff: Date, among existing: [ReceiptPartition]) -> [ReceiptPartition] {
    existing.filter { $0.end <= cutoff }.sorted()
  }
}
