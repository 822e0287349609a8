internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres

/// Cancels a booking and releases its time.
package struct CancelBookingWorker: Worker {
  private let bookings = BookingStore()
  private let recorder: BookingOutcomeRecorder
  private let now: @Sendable () -> Date

  /// - Parameter messages: for notifications.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    recorder = BookingOutcomeRecorder(messages: messages, now: now)
    self.now = now
  }

  /// Cancels a booking that is validating or confirmed. The command is cancelled if the booking was rejected or
  /// cancelled before, or if for a day the business has no such booking.
  package func work(_ job: CancelBooking, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard var booking = try await bookings.lock([job.booking], in: transaction)[job.booking],
        booking.business == job.business
      else { return context.info.missingBookingOutcome(now: now()) }
      guard booking.status == .validating || booking.status == .confirmed else {
        return .cancelled(reason: "the booking was \(booking.status.rawValue) before")
      }
      booking.status = .cancelled
      booking.lastCommand = max(context.info.jobRun.id.uuid, booking.lastCommand)
      try await bookings.releaseClaim(of: booking.id, in: transaction)
      try await bookings.update([booking], in: transaction)
      try await recorder.record(
        [BookingOutcome(type: .cancelled, booking: booking, cause: context.info)], in: transaction, &followUps)
      return .completed
    }
  }
}
