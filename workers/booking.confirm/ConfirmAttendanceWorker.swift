internal import Bookings
package import Foundation
package import Jobs
package import Postgres
internal import Reports

/// A customer's word that they will come.
package struct ConfirmAttendance: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "booking.confirm"
  /// The booking's id.
  package var booking: UUID
  /// The booking's business.
  package var business: UUID

  /// Made from a pressed button, once it is known to be the customer's own.
  package init(booking: UUID, business: UUID) {
    self.booking = booking
    self.business = business
  }
}

/// Notes that a customer will come.
package struct ConfirmAttendanceWorker: Worker {
  private let bookings = BookingStore()
  private let now: @Sendable () -> Date

  /// `now` is the clock the note is dated by.
  package init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

  /// Notes it on a confirmed booking; the first word stays. Discarded where the booking is not confirmed (any more), or
  /// the customer has said so before.
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
