public import Foundation
public import Jobs
public import Stores

/// A request for a booking, as the front took it.
public struct ValidateBooking: Job {
  public static let kind: JobKind = "booking.validate"

  /// The booking's id: fresh, or made from the client's idempotency key.
  public var booking: UUID
  public var business: UUID
  public var service: UUID
  public var professional: UUID
  public var customer: Customer
  public var startsAt: Date
  /// A hash of what was asked for.
  public var fingerprint: String

  public init(
    booking: UUID, business: UUID, service: UUID, professional: UUID, customer: Customer, startsAt: Date, fingerprint: String
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
