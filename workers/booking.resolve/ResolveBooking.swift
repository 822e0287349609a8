public import Foundation
public import Jobs

/// A validated booking whose time is to be claimed.
public struct ResolveBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  public static let kind: JobKind = "booking.resolve"
  /// The booking's id; it is stored, and `validating`.
  public var booking: UUID

  /// Made by the validation, in the transaction that stores the booking.
  public init(booking: UUID) { self.booking = booking }
}

/// A wish to give a booking up.
public struct CancelBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  public static let kind: JobKind = "booking.cancel"
  /// The booking's id; it may still be on its way through the queues.
  public var booking: UUID
  /// Who asks; a booking of another business is as good as none.
  public var business: UUID

  /// Made by the front from the path and the header `Vluma-Business`.
  public init(booking: UUID, business: UUID) {
    self.booking = booking
    self.business = business
  }
}

/// A wish to move a booking to another time, and perhaps to another professional.
public struct RescheduleBooking: Job {
  /// The name queues.yaml routes it by; never changed.
  public static let kind: JobKind = "booking.reschedule"
  /// The booking's id; it may still be on its way through the queues.
  public var booking: UUID
  /// Who asks; a booking of another business is as good as none.
  public var business: UUID
  /// The start that is asked for.
  public var startsAt: Date
  /// Nil: the same as before.
  public var professional: UUID?

  /// Made by the front; whether the time can be had is not known yet.
  public init(booking: UUID, business: UUID, startsAt: Date, professional: UUID?) {
    self.booking = booking
    self.business = business
    self.startsAt = startsAt
    self.professional = professional
  }
}
