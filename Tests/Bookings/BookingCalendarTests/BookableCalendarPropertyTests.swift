import Foundation
import TestServers
import Testing

@testable import BookingCalendar

/// What must hold for any schedule in any zone.
struct BookableCalendarPropertyTests {
  @Test(arguments: 1...60)
  func `a slot is accepted exactly when it is listed`(_ seed: Int) throws {
    var drawn = try RandomCalendar(seed: seed)
    let slots = drawn.listed
    let listed = Set(slots)
    var instants = slots.shuffled(using: &drawn.random).prefix(20).flatMap { [$0, $0 + 60, $0 + 1] }
    for _ in 0..<30 { instants.append(drawn.instant()) }
    for instant in instants where instant < drawn.range.end {
      let reasons = drawn.bookableCalendar.rejections(of: instant, now: drawn.now)
      #expect(
        reasons.isEmpty == listed.contains(instant), "\(utcText(instant)) of \(drawn.bookableCalendar): \(reasons)")
      let around = TimeRange(start: instant, end: instant + 1)
      let isListedAlone = drawn.bookableCalendar.slots(in: around, now: drawn.now, busy: []) == [instant]
      #expect(isListedAlone == listed.contains(instant), "\(utcText(instant)) of \(drawn.bookableCalendar)")
    }
  }

  @Test(arguments: 1...60)
  func `what is taken, buffers included, is never listed, and nothing else is missing`(_ seed: Int) throws {
    var drawn = try RandomCalendar(seed: seed)
    let (bookableCalendar, busy) = (drawn.bookableCalendar, drawn.busy())
    let free = bookableCalendar.slots(in: drawn.range, now: drawn.now, busy: busy)
    for start in free {
      let blocked = bookableCalendar.service.blocked(from: start)
      #expect(!busy.contains { !$0.isEmpty && $0.start < blocked.end && blocked.start < $0.end }, "\(utcText(start))")
    }
    let expected = drawn.listed.filter { start in
      let blocked = bookableCalendar.service.blocked(from: start)
      return busy.allSatisfy { $0.isEmpty || $0.end <= blocked.start || blocked.end <= $0.start }
    }
    #expect(free == expected)
  }

  @Test(arguments: 1...40)
  func `slots that are booked one after the other never overlap`(_ seed: Int) throws {
    var drawn = try RandomCalendar(seed: seed)
    var taken: [TimeRange] = []
    while taken.count < 12 {
      let free = drawn.bookableCalendar.slots(in: drawn.range, now: drawn.now, busy: taken)
      guard let start = free.randomElement(using: &drawn.random) else { break }
      let blocked = drawn.bookableCalendar.service.blocked(from: start)
      #expect(!taken.contains { $0.overlaps(blocked) }, "\(utcText(start)) of \(drawn.bookableCalendar)")
      taken.append(blocked)
    }
  }

  @Test(arguments: 1...40)
  func `slots are sorted, none is listed twice, and all lie in the range`(_ seed: Int) throws {
    let drawn = try RandomCalendar(seed: seed)
    let listed = drawn.listed
    #expect(listed == Set(listed).sorted())
    #expect(listed.allSatisfy { drawn.range.start <= $0 && $0 < drawn.range.end })
    let earliest = drawn.now + drawn.bookableCalendar.business.minimumNotice
    let latest = drawn.now + drawn.bookableCalendar.business.horizon
    #expect(listed.allSatisfy { earliest <= $0 && $0 <= latest })
  }

  /// The wall clock's minutes at which the bookableCalendar's hours are open, found without turning hours into
  /// instants.
  private func isOpen(_ instant: Date, _ bookableCalendar: BookableCalendar) -> Bool {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = bookableCalendar.business.timeZone
    let parts = calendar.dateComponents([.hour, .minute], from: instant)
    let minute = (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
    func holds(_ hours: Schedule.Hours, _ minute: Int) -> Bool {
      let end = hours.end <= hours.start ? hours.end.minutes + 1_440 : hours.end.minutes
      return hours.start.minutes <= minute && minute < end
    }
    let today = LocalDate(instant, in: bookableCalendar.business.timeZone)
    return [(today, minute), (today.adding(days: -1), minute + 1_440)].contains { date, minute in
      guard !bookableCalendar.business.daysOff.contains(date),
        case .open(let hours, let breaks) = bookableCalendar.schedule.day(date)
      else {
        return false
      }
      return hours.contains { holds($0, minute) } && !breaks.contains { holds($0, minute) }
    }
  }

  @Test(arguments: 1...40)
  func `every minute of a listed slot is open by the clock on the wall`(_ seed: Int) throws {
    var drawn = try RandomCalendar(seed: seed)
    var bookableCalendar = drawn.bookableCalendar
    bookableCalendar.business.timeZone = try zone(seed.isMultiple(of: 2) ? "Asia/Kathmandu" : "Asia/Kolkata")
    let listed = bookableCalendar.slots(in: drawn.range, now: drawn.now, busy: [])
    for start in listed.shuffled(using: &drawn.random).prefix(15) {
      for minute in stride(from: 0, to: bookableCalendar.service.duration, by: 300) {
        #expect(isOpen(start + minute, bookableCalendar), "\(utcText(start + minute)) of \(bookableCalendar)")
      }
    }
  }
}
