package import Foundation
package import Postgres

/// A step in a booking's timeline; it is dated when it is stored.
package struct BookingEvent: Sendable, Equatable {
  /// The raw values are stored.
  package enum EventType: String, Sendable {
    case validating, confirmed, rejected, cancelled, rescheduled
    case notRescheduled = "not_rescheduled"
    case attendanceConfirmed = "attendance_confirmed"
  }

  package let booking: UUID
  /// The job that did it.
  package let job: UUID
  package let type: EventType
  /// Reasons, or empty; no personal data.
  package let detail: String

  package init(_ type: EventType, of booking: UUID, by job: UUID, detail: String = "") {
    self.type = type
    self.booking = booking
    self.job = job
    self.detail = detail
  }
}

extension BookingStore {
  /// Adds steps to the bookings' timelines, in the round trip of the commit.
  package func record(_ events: [BookingEvent], in transaction: PostgresTransaction) {
    guard !events.isEmpty else { return }
    transaction.beforeCommit([
      """
      INSERT INTO bookings.booking_event (booking_id, job_id, type, detail)
      SELECT * FROM unnest(\(events.map(\.booking))::uuid[], \(events.map(\.job))::uuid[],
        \(events.map(\.type.rawValue))::text[], \(events.map(\.detail))::text[])
      """
    ])
  }
}
