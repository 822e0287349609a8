package import Bookings
package import Foundation
package import Jobs

/// A request for a booking, as the front took it.
package struct ValidateBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "booking.validate"

  /// The booking's id: fresh, or made from the client's idempotency key.
  package var booking: UUID
  /// The business asked, from the header `Vluma-Business`; whether it exists is not known yet.
  package var business: UUID
  /// The service wanted; whether the business has it is not known yet.
  package var service: UUID
  /// The professional whose time is wanted; whether the service is offered is not known yet.
  package var professional: UUID
  /// Who it is for. Personal data: the job's body must not be logged.
  package var customer: Customer
  /// The start that is asked for.
  package var startsAt: Date
  /// A hash of what was asked for.
  package var fingerprint: String

  /// Made by the front once the request's form is checked; the rules of the business are the worker's affair.
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
