package import Foundation
package import Jobs

/// A validated booking whose time is to be claimed.
package struct ResolveBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "booking.resolve"
  /// The booking's id; it is stored, and `validating`.
  package var booking: UUID

  /// Made by the validation, in the transaction that stores the booking.
  package init(booking: UUID) { self.booking = booking }
}

/// A wish to give a booking up.
package struct CancelBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "booking.cancel"
  /// The booking's id; it may still be on its way through the queues.
  package var booking: UUID
  /// Who asks; a booking of another business is as good as none.
  package var business: UUID

  /// Made by the front from the path and the header `Vluma-Business`.
  package init(booking: UUID, business: UUID) {
    self.booking = booking
    self.business = business
  }
}

/// A wish to move a booking to another time, and perhaps to another professional.
package struct RescheduleBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "booking.reschedule"
  /// The booking's id; it may still be on its way through the queues.
  package var booking: UUID
  /// Who asks; a booking of another business is as good as none.
  package var business: UUID
  /// The start that is asked for.
  package var startsAt: Date
  /// Nil: the same as before.
  package var professional: UUID?

  /// Made by the front; whether the time can be had is not known yet.
  package init(booking: UUID, business: UUID, startsAt: Date, professional: UUID?) {
    self.booking = booking
    self.business = business
    self.startsAt = startsAt
    self.professional = professional
  }
}
