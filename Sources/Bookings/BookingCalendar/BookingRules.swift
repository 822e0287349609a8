package import Foundation

/// The rules of a business for all its bookings. Times are in seconds.
package struct BusinessRules: Sendable, Equatable {
  package var timeZone: TimeZone
  /// How long before its start a slot must be requested.
  package var minimumNotice: TimeInterval
  /// How far ahead slots may be requested.
  package var horizon: TimeInterval
  /// Dates on which no working hours begin, whatever the schedules say.
  package var daysOff: Set<LocalDate>

  package init(timeZone: TimeZone, minimumNotice: TimeInterval, horizon: TimeInterval, daysOff: Set<LocalDate> = []) {
    self.timeZone = timeZone
    self.minimumNotice = minimumNotice
    self.horizon = horizon
    self.daysOff = daysOff
  }
}

/// What a service requires of a slot. Times are in seconds.
package struct ServiceRules: Sendable, Equatable {
  /// How long the slot is, buffers not included; more than 0.
  package var duration: TimeInterval
  /// The grid: a slot begins a whole number of intervals after its window opens; more than 0.
  package var interval: TimeInterval
  /// Kept free before the slot.
  package var bufferBefore: TimeInterval
  /// Kept free after the slot.
  package var bufferAfter: TimeInterval

  /// - Parameter interval: nil: the duration, so that slots follow each other without a gap.
  package init(
    duration: TimeInterval, interval: TimeInterval? = nil, bufferBefore: TimeInterval = 0, bufferAfter: TimeInterval = 0
  ) {
    self.duration = duration
    self.interval = interval ?? duration
    self.bufferBefore = bufferBefore
    self.bufferAfter = bufferAfter
  }

  /// The time that a slot starting at `start` occupies in the professional's calendar, buffers included.
  package func blocked(from start: Date) -> TimeRange {
    TimeRange(start: start - bufferBefore, end: start + duration + bufferAfter)
  }
}
