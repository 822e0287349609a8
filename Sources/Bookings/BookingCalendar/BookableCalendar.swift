package import Foundation

/// The calendar that slots are checked against: of one professional, for one service of one business.
package struct BookableCalendar: Sendable, Equatable {
  package var business: BusinessRules
  package var service: ServiceRules
  /// In the business' time zone.
  package var schedule: Schedule

  /// Service and professional must be the business' own; this is not checked.
  package init(business: BusinessRules, service: ServiceRules, schedule: Schedule) {
    self.business = business
    self.service = service
    self.schedule = schedule
  }

  /// The times of a date in which slots may lie: without breaks, adjacent windows merged.
  func windows(on date: LocalDate) -> [TimeRange] {
    guard !business.daysOff.contains(date), case .open(let hours, let breaks) = schedule.day(date) else { return [] }
    let zone = business.timeZone
    return hours.map { $0.range(on: date, in: zone) }.merged()
      .subtracting(breaks.flatMap { breakRanges($0, date) })
  }

  /// A break on a date, and on the next one for hours that cross midnight.
  private func breakRanges(_ breakHours: Schedule.Hours, _ date: LocalDate) -> [TimeRange] {
    [date, date.adding(days: 1)].map { breakHours.range(on: $0, in: business.timeZone) }
  }

  /// The windows of a date and its neighbours, merged where they meet at midnight: a slot must fit into one of them.
  private func windows(around date: LocalDate) -> [TimeRange] {
    (-1...1).flatMap { windows(on: date.adding(days: $0)) }.merged()
  }

  /// True if `start` is a whole number of intervals after a window of its date, or of the date before, opens.
  private func isOnGrid(_ start: Date, _ date: LocalDate) -> Bool {
    [date.adding(days: -1), date].flatMap(windows(on:)).contains { window in
      guard window.start <= start, start < window.end else { return false }
      let steps = start.timeIntervalSince(window.start) / service.interval
      return abs(steps - steps.rounded()) * service.interval < 0.000_5  // half a millisecond of rounding
    }
  }

  /// Why a slot that starts at `start` cannot be requested at `now`; empty: it can. Other bookings are not considered.
  ///
  /// A slot passes exactly when ``slots(in:now:busy:)`` would list it on an empty calendar.
  package func rejections(of start: Date, now: Date) -> [RejectionReason] {
    var reasons: [RejectionReason] = []
    if start < now {
      reasons.append(.inThePast)
    } else if start < now + business.minimumNotice {
      reasons.append(.tooSoon)
    }
    if start > now + business.horizon {
      // The slot is not looked up: the schedule may still change until then, and the date may be centuries away.
      return reasons + [.beyondHorizon]
    }
    if start < now - 366 * 86_400 { return reasons }
    let date = LocalDate(start, in: business.timeZone)
    let slot = TimeRange(start: start, end: start + service.duration)
    if !windows(around: date).contains(where: { $0.contains(slot) }) {
      reasons.append(reasonOutsideWindows(slot, date))
    } else if !isOnGrid(start, date) {
      reasons.append(.offGrid)
    }
    return reasons
  }

  private func reasonOutsideWindows(_ slot: TimeRange, _ date: LocalDate) -> RejectionReason {
    let zone = business.timeZone
    var isOff = true
    for day in [date.adding(days: -1), date] {
      guard !business.daysOff.contains(day), case .open(let hours, let breaks) = schedule.day(day) else { continue }
      if day == date { isOff = false }
      let open = hours.map { $0.range(on: day, in: zone) }.merged()
      let breakRanges = breaks.flatMap { self.breakRanges($0, day) }
      if open.contains(where: { $0.contains(slot) }), breakRanges.contains(where: { $0.overlaps(slot) }) {
        return .duringBreak
      }
    }
    return isOff ? .dayOff : .outsideWorkingHours
  }
}
