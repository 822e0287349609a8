public import Foundation
public import Jobs

/// A validated booking whose time is to be claimed.
public struct ResolveBooking: Job {
  public static let kind: JobKind = "booking.resolve"
  public var booking: UUID

  public init(booking: UUID) { self.booking = booking }
}

/// A wish to give a booking up.
public struct CancelBooking: Job {
  public static let kind: JobKind = "booking.cancel"
  public var booking: UUID
  public var business: UUID

  public init(booking: UUID, business: UUID) {
    self.booking = booking
    self.business = business
  }
}

/// A wish to move a booking to another time, and perhaps to another professional.
public struct RescheduleBooking: Job {
  public static let kind: JobKind = "booking.reschedule"
  public var booking: UUID
  public var business: UUID
  public var startsAt: Date
  /// Nil: the same as before.
  public var professional: UUID?

  public init(booking: UUID, business: UUID, startsAt: Date, professional: UUID?) {
    self.booking = booking
    self.business = business
    self.startsAt = startsAt
    self.professional = professional
  }
}
