package import Foundation
package import Postgres

/// A step in a booking's story.
package struct BookingEvent: Sendable, Equatable {
  /// What can happen to a booking. The raw values are stored.
  package enum EventType: String, Sendable {
    case validating, confirmed, rejected, cancelled, rescheduled
    case notRescheduled = "not_rescheduled"
    case attendanceConfirmed = "attendance_confirmed"
  }

  /// The booking.
  package let booking: UUID
  /// The job that did it.
  package let job: UUID
  /// What happened.
  package let type: EventType
  /// Reasons, where there are any; no personal data.
  package let detail: String

  /// Describes a step; it is dated when it is stored.
  package init(_ type: EventType, of booking: UUID, by job: UUID, detail: String = "") {
    self.type = type
    self.booking = booking
    self.job = job
    self.detail = detail
  }
}

extension BookingStore {
  /// Adds steps to bookings' stories. They travel with the commit: no round trip of their own.
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

  /// The customers of bookings, their businesses and times, for whoever must know whether a reply is a customer's own.
  package func contacts(
    of bookings: [UUID], in transaction: PostgresTransaction
  ) async throws -> [UUID: (business: UUID, phone: String, startsAt: Date)] {
    guard !bookings.isEmpty else { return [:] }
    let rows = try await transaction.query(
      "SELECT id, business_id, customer_phone, starts_at FROM bookings.booking WHERE id = ANY(\(bookings)::uuid[])")
    var contacts: [UUID: (business: UUID, phone: String, startsAt: Date)] = [:]
    for row in rows { contacts[try row.decode(0)] = (try row.decode(1), try row.decode(2), try row.decode(3)) }
    return contacts
  }
}
