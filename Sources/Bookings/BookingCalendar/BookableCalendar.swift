package import Foundation

/// The rules of a business that hold for all its bookings.
package struct BusinessRules: Sendable, Equatable {
  /// The zone its hours are in.
  package var timeZone: TimeZone
  /// How long before its start a slot must be asked for.
  package var minimumNotice: TimeInterval
  /// How far ahead slots may be asked for.
  package var horizon: TimeInterval
  /// Dates on which nobody of the business begins work, whatever the schedules say.
  package var daysOff: Set<LocalDate>

  /// Puts the rules together; notice and horizon are in seconds, and no date is off by default.
  package init(timeZone: TimeZone, minimumNotice: TimeInterval, horizon: TimeInterval, daysOff: Set<LocalDate> = []) {
    self.timeZone = timeZone
    self.minimumNotice = minimumNotice
    self.horizon = horizon
    self.daysOff = daysOff
  }
}

/// What a service asks of a slot. Times are in seconds.
package struct ServiceRules: Sendable, Equatable {
  /// How long the slot is, buffers not included; more than 0.
  package var duration: TimeInterval
  /// The grid: a slot begins a whole number of these after its window opens.
  package var interval: TimeInterval
  /// Kept free before the slot; none by default.
  package var bufferBefore: TimeInterval
  /// Kept free after the slot; none by default.
  package var bufferAfter: TimeInterval

  /// Puts the rules together. Without an interval slots stand end to end: it is the duration then. Both must be more
  /// than 0.
  package init(
    duration: TimeInterval, interval: TimeInterval? = nil, bufferBefore: TimeInterval = 0, bufferAfter: TimeInterval = 0
  ) {
    self.duration = duration
    self.interval = interval ?? duration
    self.bufferBefore = bufferBefore
    self.bufferAfter = bufferAfter
  }

  /// What the professional is taken up by when the slot starts at `start`, buffers included.
  package func blocked(from start: Date) -> TimeRange {
    TimeRange(start: start - bufferBefore, end: start + duration + bufferAfter)
  }
}

/// Why a slot is not to be had. The raw values are part of the API.
package enum RejectionReason: String, Sendable, Codable, CaseIterable {
  case unknownBusiness = "unknown_business"
  case unknownService = "unknown_service"
  case unknownProfessional = "unknown_professional"
  /// The professional does not offer the service.
  case serviceNotOffered = "service_not_offered"
  case inThePast = "in_the_past"
  /// Inside the minimum notice.
  case tooSoon = "too_soon"
  case beyondHorizon = "beyond_horizon"
  case dayOff = "day_off"
  case outsideWorkingHours = "outside_working_hours"
  case duringBreak = "during_break"
  case offGrid = "off_grid"
  /// Somebody else has it.
  case slotTaken = "slot_taken"
}

/// The calendar a slot is checked against: one professional's, for one service of one business.
package struct BookableCalendar: Sendable, Equatable {
  /// What holds for all bookings of the business.
  package var business: BusinessRules
  /// What the service asks of a slot.
  package var service: ServiceRules
  /// When the professional works, in the business' time zone.
  package var schedule: Schedule

  /// Puts together what belongs together: service and professional must be the business' own.
  package init(business: BusinessRules, service: ServiceRules, schedule: Schedule) {
    self.business = business
    self.service = service
    self.schedule = schedule
  }

  /// The stretches of a local date in which slots may lie, breaks cut out, windows that meet made one.
  private func windows(on date: LocalDate) -> [TimeRange] {
    guard !business.daysOff.contains(date), case .open(let hours, let breaks) = schedule.day(date) else { return [] }
    let zone = business.timeZone
    return hours.map { $0.range(on: date, in: zone) }.merged()
      .subtracting(breaks.flatMap { breakRanges($0, date) })
  }

  /// Where a break lies that belongs to a date's hours: on the date, and, for hours that cross midnight, on the next.
  private func breakRanges(_ pause: Schedule.Hours, _ date: LocalDate) -> [TimeRange] {
    [date, date.adding(days: 1)].map { pause.range(on: $0, in: business.timeZone) }
  }

  /// The windows of a date and its neighbours, those that meet at midnight made one: what a slot must fit into.
  private func windows(around date: LocalDate) -> [TimeRange] {
    (-1...1).flatMap { windows(on: date.adding(days: $0)) }.merged()
  }

  /// True where a slot may begin at `start`: a whole number of intervals after a window of its date, or the one before,
  /// opens.
  private func isOnGrid(_ start: Date, _ date: LocalDate) -> Bool {
    [date.adding(days: -1), date].flatMap(windows(on:)).contains { window in
      guard window.start <= start, start < window.end else { return false }
      let steps = start.timeIntervalSince(window.start) / service.interval
      return abs(steps - steps.rounded()) * service.interval < 0.000_5  // half a millisecond of rounding
    }
  }

  /// Why a slot that starts at `start` cannot be asked for at `now`; empty where it can. Whether somebody else has it
  /// is not looked at.
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
      // Beyond the horizon the calendar is not settled; and an absurd date should cost nothing.
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

  /// Why a slot lies in no window.
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

  /// The starts of all free slots that begin in `range`, in order.
  ///
  /// - Parameter busy: what the professional is taken up by, buffers included. A slot with its own buffers must not
  ///   touch it.
  package func slots(in range: TimeRange, now: Date, busy: [TimeRange]) -> [Date] {
    let earliest = max(range.start, now + business.minimumNotice, now)
    let latest = min(range.end, now + business.horizon)
    guard earliest <= latest else { return [] }
    let busy = busy.merged()
    var starts = Set<Date>()
    var date = LocalDate(earliest, in: business.timeZone).adding(days: -1)
    let last = LocalDate(latest, in: business.timeZone)
    var around: [LocalDate: [TimeRange]] = [:]
    while date <= last {
      for window in windows(on: date) {
        let skipped = max(0, (earliest.timeIntervalSince(window.start) / service.interval).rounded(.up))
        var start = window.start + skipped * service.interval
        while start < window.end, start <= latest, start < range.end {
          let slot = TimeRange(start: start, end: start + service.duration)
          let isFree = !busy.contains { $0.overlaps(service.blocked(from: start)) }
          let day = LocalDate(start, in: business.timeZone)
          let room = around[day] ?? windows(around: day)
          around[day] = room
          if isFree, room.contains(where: { $0.contains(slot) }) { starts.insert(start) }
          start += service.interval
        }
      }
      date = date.adding(days: 1)
    }
    return starts.sorted()
  }
}
