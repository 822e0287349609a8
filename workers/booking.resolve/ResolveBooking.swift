package import Foundation
package import Jobs

/// Claim the time of a validated booking.
package struct ResolveBooking: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "booking.resolve"
  package var booking: UUID

  package init(booking: UUID) { self.booking = booking }
}
