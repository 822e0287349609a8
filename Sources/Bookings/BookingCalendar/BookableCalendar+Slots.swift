package import Foundation

extension BookableCalendar {
  /// Free slots, in order.
  package struct SlotList: Sendable, Equatable {
    package var starts: [Date]
    /// Where the next list begins; nil: these are all.
    package var next: Date?
  }

  /// The starts of all free slots that begin in `range`, in order.
  package func slots(in range: TimeRange, now: Date, busy: [TimeRange]) -> [Date] {
    slots(in: range, now: now, busy: busy, limit: .max).starts
  }

  /// The starts of the first free slots that begin in `range`, at most `limit` of them. What is beyond the limit costs
  /// nothing: the fine grid of a whole month may have tens of thousands.
  ///
  /// - Parameter busy: the times occupied by other bookings, buffers included. A slot with its own buffers must not
  ///   overlap them.
  package func slots(in range: TimeRange, now: Date, busy: [TimeRange], limit: Int) -> SlotList {
    let earliest = max(range.start, now + business.minimumNotice, now)
    let latest = min(range.end, now + business.horizon)
    guard earliest <= latest else { return SlotList(starts: []) }
    var finder = SlotFinder(calendar: self, earliest: earliest, latest: latest, end: range.end, busy: busy.merged())
    return finder.find(limit: limit)
  }
}

/// Walks through the windows of one date after another, and remembers what it has worked out.
private struct SlotFinder {
  let calendar: BookableCalendar
  let earliest: Date
  let latest: Date
  /// Slots begin before it.
  let end: Date
  /// Sorted and merged.
  let busy: [TimeRange]
  private var windowsByDate: [LocalDate: [TimeRange]] = [:]
  /// The windows that a slot may lie in, by its local day: days since 1970 there.
  private var surroundingByDay: [Int: [TimeRange]] = [:]

  init(calendar: BookableCalendar, earliest: Date, latest: Date, end: Date, busy: [TimeRange]) {
    (self.calendar, self.earliest, self.latest, self.end, self.busy) = (calendar, earliest, latest, end, busy)
  }

  mutating func find(limit: Int) -> BookableCalendar.SlotList {
    var starts = Set<Date>()
    var date = LocalDate(earliest, in: calendar.business.timeZone).adding(days: -1)
    let last = LocalDate(latest, in: calendar.business.timeZone)
    while date <= last {
      for window in windows(on: date) { collect(window, limit: limit, into: &starts) }
      date = date.adding(days: 1)
      guard starts.count > limit else { continue }
      // Later dates have later windows only: what begins before them is complete.
      let complete = LocalTime.midnight.instant(on: date, in: calendar.business.timeZone)
      if starts.count(where: { $0 < complete }) > limit { break }
    }
    let sorted = starts.sorted()
    guard sorted.count > limit else { return .init(starts: sorted) }
    return .init(starts: Array(sorted.prefix(limit)), next: sorted[limit])
  }

  /// Adds the free slots of a window; of more than `limit` of them only the first, and one more.
  private mutating func collect(_ window: TimeRange, limit: Int, into starts: inout Set<Date>) {
    let service = calendar.service
    func onGrid(from instant: Date) -> Date {
      let steps = max(0, (instant.timeIntervalSince(window.start) / service.interval).rounded(.up))
      return window.start + steps * service.interval
    }
    var found = 0
    var start = onGrid(from: earliest)
    while start < window.end, start <= latest, start < end, found <= limit {
      if let taken = busyRange(overlapping: service.blocked(from: start)) {
        // Nothing in between is free; never back to where it was, which rounding could do.
        start = max(onGrid(from: taken.end + service.bufferBefore), start + service.interval)
        continue
      }
      let slot = TimeRange(start: start, end: start + service.duration)
      if surrounding(start).contains(where: { $0.contains(slot) }) {
        starts.insert(start)
        found += 1
      }
      start += service.interval
    }
  }

  /// The first busy range that overlaps the given one, by bisection.
  private func busyRange(overlapping range: TimeRange) -> TimeRange? {
    var (low, high) = (0, busy.count)
    while low < high {
      let middle = (low + high) / 2
      if busy[middle].end <= range.start { low = middle + 1 } else { high = middle }
    }
    return low < busy.count && busy[low].overlaps(range) ? busy[low] : nil
  }

  private mutating func windows(on date: LocalDate) -> [TimeRange] {
    if let known = windowsByDate[date] { return known }
    let windows = calendar.windows(on: date)
    windowsByDate[date] = windows
    return windows
  }

  /// The windows of the instant's date and its neighbours, merged where they meet at midnight.
  private mutating func surrounding(_ instant: Date) -> [TimeRange] {
    let zone = calendar.business.timeZone
    let local = instant.timeIntervalSince1970 + TimeInterval(zone.secondsFromGMT(for: instant))
    let day = Int((local / 86_400).rounded(.down))
    if let known = surroundingByDay[day] { return known }
    let date = LocalDate(instant, in: zone)
    let merged = (-1...1).flatMap { windows(on: date.adding(days: $0)) }.merged()
    surroundingByDay[day] = merged
    return merged
  }
}
