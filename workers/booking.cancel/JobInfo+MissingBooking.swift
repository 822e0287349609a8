internal import BookingCalendar
internal import Foundation
internal import Jobs

extension JobInfo {
  /// The outcome of a command whose booking is not stored (yet).
  func missingBookingOutcome(now: Date) -> JobOutcome {
    guard let delay = CommandPollPolicy.delay(afterWaiting: now.timeIntervalSince(enqueuedAt)) else {
      return .cancelled(reason: "there is no such booking")
    }
    return .snoozed(for: .milliseconds(Int64(delay * 1_000)), reason: "its booking is not stored yet")
  }
}
