import Foundation
import TestServers
import Testing

@testable import BookingCalendar

/// Lists that are cut at a limit.
struct SlotLimitTests {
  @Test(arguments: 1...60)
  func `lists of any length, one after the other, are the whole list`(_ seed: Int) throws {
    var drawn = try RandomCalendar(seed: seed)
    let (calendar, busy) = (drawn.bookableCalendar, drawn.busy())
    let whole = calendar.slots(in: drawn.range, now: drawn.now, busy: busy)
    let limit = Int.random(in: 1...9, using: &drawn.random)
    var (pages, range): ([Date], TimeRange) = ([], drawn.range)
    while true {
      let page = calendar.slots(in: range, now: drawn.now, busy: busy, limit: limit)
      #expect(page.starts.count <= limit)
      pages += page.starts
      guard let next = page.next else { break }
      #expect(page.starts.count == limit)
      range = TimeRange(start: next, end: range.end)
    }
    #expect(pages == whole)
  }

  @Test func `a grid of seconds over a month, all of it taken or free, is listed at once`() throws {
    let schedule = try schedule(everyDay("00:00-24:00"))
    let calendar = try bookableCalendar("America/Sao_Paulo", schedule, service(0.5, every: 1.0 / 60))
    let start = try utc("2026-03-09T03:00")
    let month = TimeRange(start: start, end: start + 31 * 86_400)
    let begun = ContinuousClock.now
    let free = calendar.slots(in: month, now: start, busy: [], limit: 2_000)
    #expect(free.starts.count == 2_000 && free.next == start + 2_000)
    #expect(calendar.slots(in: month, now: start, busy: [month], limit: 2_000).starts.isEmpty)
    // 2.7 million seconds, one by one, would take minutes.
    #expect(ContinuousClock.now - begun < .seconds(5))
  }
}
