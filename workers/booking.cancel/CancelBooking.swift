package import Foundation
package import Jobs

/// A request to cancel a booking.
package struct CancelBooking: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "booking.cancel"
  /// May not be stored yet: its own job may still be in a queue.
  package var booking: UUID
  /// The business that asks; it must be the booking's.
  package var business: UUID

  package init(booking: UUID, business: UUID) {
    self.booking = booking
    self.business = business
  }
}
