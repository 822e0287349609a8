package import Foundation
package import Jobs

/// A customer has confirmed that they will come.
package struct ConfirmAttendance: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "booking.confirm"
  package var booking: UUID
  package var business: UUID

  /// Only for a reply that is known to be the customer's own.
  package init(booking: UUID, business: UUID) {
    self.booking = booking
    self.business = business
  }
}
