package import Foundation

/// The time from `start` up to, and not including, `end`.
package struct TimeRange: Sendable, Hashable, Codable {
  package let start: Date
  /// Never before the start.
  package let end: Date

  /// An end before the start makes the range empty.
  package init(start: Date, end: Date) {
    self.start = start
    self.end = max(start, end)
  }

  private enum CodingKeys: String, CodingKey { case start, end }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(start: try values.decode(Date.self, forKey: .start), end: try values.decode(Date.self, forKey: .end))
  }

  package var isEmpty: Bool { start == end }

  /// Ranges that only touch do not overlap.
  package func overlaps(_ other: TimeRange) -> Bool {
    start < other.end && other.start < end && !isEmpty && !other.isEmpty
  }

  package func contains(_ other: TimeRange) -> Bool { start <= other.start && other.end <= end }

  package func padded(before: TimeInterval, after: TimeInterval) -> TimeRange {
    TimeRange(start: start - before, end: end + after)
  }
}

extension [TimeRange] {
  /// Sorted, with overlapping and touching ranges merged.
  func merged() -> [TimeRange] {
    var result: [TimeRange] = []
    for range in self.filter({ !$0.isEmpty }).sorted(by: { $0.start < $1.start }) {
      if let last = result.last, range.start <= last.end {
        result[result.count - 1] = TimeRange(start: last.start, end: Swift.max(last.end, range.end))
      } else {
        result.append(range)
      }
    }
    return result
  }

  func subtracting(_ others: [TimeRange]) -> [TimeRange] {
    var result = self
    for other in others where !other.isEmpty {
      result = result.flatMap { range -> [TimeRange] in
        guard range.overlaps(other) else { return [range] }
        return [TimeRange(start: range.start, end: other.start), TimeRange(start: other.end, end: range.end)]
          .filter { $0.start < $0.end }
      }
    }
    return result
  }
}
