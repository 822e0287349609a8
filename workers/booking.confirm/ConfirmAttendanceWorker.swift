internal import Bookings
package import Foundation
package import Jobs
package import Postgres
internal import Reports

/// Stores that a customer will come.
package struct ConfirmAttendanceWorker: Worker {
  private let bookings = BookingStore()
  private let now: @Sendable () -> Date

  /// - Parameter now: dates the confirmation.
  package init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

  /// The first confirmation counts. Cancelled if the booking is not confirmed, or attendance was confirmed before.
  package func work(_ job: ConfirmAttendance, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard var booking = try await bookings.lock([job.booking], in: transaction)[job.booking],
        booking.business == job.business
      else { return .cancelled(reason: "there is no such booking") }
      guard booking.status == .confirmed else {
        return .cancelled(reason: "the booking is \(booking.status.rawValue)")
      }
      guard booking.attendanceConfirmedAt == nil else {
        return .cancelled(reason: "the customer has confirmed it before")
      }
      booking.attendanceConfirmedAt = now()
      try await bookings.update([booking], in: transaction)
      bookings.record([.init(.attendanceConfirmed, of: booking.id, by: context.info.jobRun.id.uuid)], in: transaction)
      followUps.count(.bookingAttendanceConfirmed, of: booking.business, at: now())
      return .completed
    }
  }
}
