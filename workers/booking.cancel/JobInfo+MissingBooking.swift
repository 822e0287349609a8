internal import BookingCalendar
internal import Foundation
internal import Jobs

extension JobInfo {
  /// The outcome of a command whose booking is not stored (yet).
  func missingBookingOutcome(_ booking: UUID, now: Date) -> JobOutcome {
    guard CommandPollPolicy.mayBeOnItsWay(booking, at: enqueuedAt),
      let delay = CommandPollPolicy.delay(.booking, afterWaiting: now.timeIntervalSince(enqueuedAt))
    else { return .cancelled(reason: "there is no such booking") }
    return .snoozed(for: .milliseconds(Int64(delay * 1_000)), reason: "its booking is not stored yet")
  }

  /// The outcome of a command whose booking is stored and not decided yet.
  func undecidedBookingOutcome(now: Date) -> JobOutcome {
    guard let delay = CommandPollPolicy.delay(.decision, afterWaiting: now.timeIntervalSince(enqueuedAt)) else {
      return .cancelled(reason: "the booking was not decided within a day")
    }
    return .snoozed(for: .milliseconds(Int64(delay * 1_000)), reason: "the booking is being decided")
  }
}
