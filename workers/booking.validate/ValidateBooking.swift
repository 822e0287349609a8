package import Bookings
package import Foundation
package import Jobs

/// A request for a booking. Personal data: the job's body must not be logged.
package struct ValidateBooking: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "booking.validate"
  /// New, or made from the client's idempotency key.
  package var booking: UUID
  /// Whether business, service and professional exist is not checked yet.
  package var business: UUID
  package var service: UUID
  package var professional: UUID
  package var customer: Customer
  package var startsAt: Date
  /// A hash of the request.
  package var fingerprint: String

  package init(
    booking: UUID, business: UUID, service: UUID, professional: UUID, customer: Customer, startsAt: Date,
    fingerprint: String
  ) {
    self.booking = booking
    self.business = business
    self.service = service
    self.professional = professional
    self.customer = customer
    self.startsAt = startsAt
    self.fingerprint = fingerprint
  }
}
