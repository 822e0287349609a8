package import Foundation
package import Jobs

/// A request to move a booking to another time, and possibly to another professional.
package struct RescheduleBooking: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "booking.reschedule"
  /// May not be stored yet: its own job may still be in a queue.
  package var booking: UUID
  /// The business that asks; it must be the booking's.
  package var business: UUID
  package var startsAt: Date
  /// Nil: the same as before.
  package var professional: UUID?

  package init(booking: UUID, business: UUID, startsAt: Date, professional: UUID?) {
    self.booking = booking
    self.business = business
    self.startsAt = startsAt
    self.professional = professional
  }
}
