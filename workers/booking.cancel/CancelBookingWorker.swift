internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres
internal import Reports
internal import WhatsApp

/// Gives a booking up and its time free.
package struct CancelBookingWorker: Worker {
  private let bookings = BookingStore()

  private let notifications: NotificationEnqueuer
  private let now: @Sendable () -> Date

  /// - Parameter messages: what customers are told goes through it.
  /// - Parameter now: the clock that counts are dated by.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    notifications = NotificationEnqueuer(messages: messages)
    self.now = now
  }

  /// Cancels a booking that is validating or confirmed, and frees its time. The command is cancelled where the booking
  /// was rejected or cancelled before, or where for a day the business has no such booking.
  package func work(_ job: CancelBooking, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard var booking = try await bookings.lock([job.booking], in: transaction)[job.booking],
        booking.business == job.business
      else { return context.info.missingBookingOutcome(now: now()) }
      let command = context.info.jobRun.id.uuid
      guard booking.status == .validating || booking.status == .confirmed else {
        return .cancelled(reason: "the booking was \(booking.status.rawValue) before")
      }
      booking.status = .cancelled
      booking.lastCommand = max(command, booking.lastCommand)
      try await bookings.releaseClaim(of: booking.id, in: transaction)
      try await bookings.update([booking], in: transaction)
      bookings.record([.init(.cancelled, of: booking.id, by: command)], in: transaction)
      followUps.count(.bookingCancelled, of: booking.business, at: now())
      let notification = NewMessage(.cancelled, of: booking, id: .version7(at: now()), now: now())
      try await notifications.send([(notification, context.info)], at: now(), in: transaction, followUps: &followUps)
      return .completed
    }
  }
}

extension JobInfo {
  /// What becomes of a command whose booking is not stored (yet).
  func missingBookingOutcome(now: Date) -> JobOutcome {
    guard let pause = CommandPollPolicy.delay(afterWaiting: now.timeIntervalSince(enqueuedAt)) else {
      return .cancelled(reason: "there is no such booking")
    }
    return .snoozed(for: .milliseconds(Int64(pause * 1_000)), reason: "its booking is not stored yet")
  }
}
