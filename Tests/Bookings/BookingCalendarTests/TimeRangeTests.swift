import Foundation
import TestServers
import Testing

@testable import BookingCalendar

struct TimeRangeTests {
  /// A range in minutes of an arbitrary hour.
  private func range(_ start: Int, _ end: Int) -> TimeRange {
    TimeRange(
      start: Date(timeIntervalSince1970: Double(start) * 60), end: Date(timeIntervalSince1970: Double(end) * 60))
  }

  /// The minutes that lie in any of the ranges.
  private func minutes(of ranges: [TimeRange]) -> Set<Int> {
    var minutes = Set<Int>()
    for range in ranges {
      minutes.formUnion(Int(range.start.timeIntervalSince1970 / 60)..<Int(range.end.timeIntervalSince1970 / 60))
    }
    return minutes
  }

  @Test func `an end before the start makes a range empty`() {
    let backwards = range(10, 5)
    #expect(backwards.isEmpty)
    #expect(backwards == range(10, 10))
    #expect(!range(5, 10).isEmpty)
  }

  @Test func `a range that is read backwards is empty as well`() throws {
    let document = Data(#"{"start": 600, "end": 300}"#.utf8)
    #expect(try JSONDecoder().decode(TimeRange.self, from: document).isEmpty)
  }

  @Test func `a range survives coding`() throws {
    let document = try JSONEncoder().encode(range(5, 65))
    #expect(try JSONDecoder().decode(TimeRange.self, from: document) == range(5, 65))
  }

  @Test func `ranges that share time overlap, and those that touch do not`() {
    #expect(range(0, 10).overlaps(range(9, 20)))
    #expect(range(9, 20).overlaps(range(0, 10)))
    #expect(range(0, 30).overlaps(range(10, 20)))
    #expect(range(10, 20).overlaps(range(0, 30)))
    #expect(!range(0, 10).overlaps(range(10, 20)))
    #expect(!range(10, 20).overlaps(range(0, 10)))
    #expect(!range(0, 10).overlaps(range(20, 30)))
  }

  @Test func `an empty range shares time with none`() {
    #expect(!range(0, 10).overlaps(range(5, 5)))
    #expect(!range(5, 5).overlaps(range(0, 10)))
    #expect(!range(5, 5).overlaps(range(5, 5)))
  }

  @Test func `a range contains what reaches up to its ends`() {
    #expect(range(0, 10).contains(range(0, 10)))
    #expect(range(0, 10).contains(range(3, 7)))
    #expect(!range(0, 10).contains(range(3, 11)))
    #expect(!range(1, 10).contains(range(0, 5)))
  }

  @Test func `padding makes a range longer at both ends`() {
    #expect(range(10, 20).padded(before: 300, after: 600) == range(5, 30))
    #expect(range(10, 20).padded(before: 0, after: 0) == range(10, 20))
  }

  @Test func `merging joins what overlaps or touches, in any order`() {
    #expect([range(20, 30), range(0, 10), range(5, 15)].merged() == [range(0, 15), range(20, 30)])
    #expect([range(10, 20), range(0, 10)].merged() == [range(0, 20)])
    #expect([range(0, 30), range(10, 20)].merged() == [range(0, 30)])
    #expect([range(0, 10), range(0, 20)].merged() == [range(0, 20)])
    #expect([range(5, 5), range(7, 3)].merged().isEmpty)
    #expect([range(0, 10), range(20, 20)].merged() == [range(0, 10)])
  }

  @Test func `subtracting cuts out of the middle, from the ends, or everything`() {
    #expect([range(0, 30)].subtracting([range(10, 20)]) == [range(0, 10), range(20, 30)])
    #expect([range(0, 30)].subtracting([range(-5, 10)]) == [range(10, 30)])
    #expect([range(0, 30)].subtracting([range(20, 99)]) == [range(0, 20)])
    #expect([range(10, 20)].subtracting([range(0, 30)]).isEmpty)
    #expect([range(10, 20)].subtracting([range(10, 20)]).isEmpty)
    #expect([range(0, 10)].subtracting([range(10, 20)]) == [range(0, 10)])
    #expect([range(0, 30)].subtracting([range(15, 15)]) == [range(0, 30)])
    #expect([range(0, 30)].subtracting([range(5, 10), range(8, 20)]) == [range(0, 5), range(20, 30)])
    #expect([range(0, 10), range(20, 30)].subtracting([range(5, 25)]) == [range(0, 5), range(25, 30)])
  }

  @Test(arguments: 1...50)
  func `merging and subtracting keep exactly the right minutes`(_ seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    func draw() -> [TimeRange] {
      (0..<Int.random(in: 0...8, using: &random)).map { _ in
        let start = Int.random(in: 0...60, using: &random)
        return range(start, start + Int.random(in: -2...15, using: &random))
      }
    }
    let (some, others) = (draw(), draw())
    let merged = some.merged()
    #expect(minutes(of: merged) == minutes(of: some))
    for (left, right) in zip(merged, merged.dropFirst()) { #expect(left.end < right.start) }
    let left = merged.subtracting(others)
    #expect(minutes(of: left) == minutes(of: some).subtracting(minutes(of: others)))
    #expect(!left.contains { $0.isEmpty })
  }
}
