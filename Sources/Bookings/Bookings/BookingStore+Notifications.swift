package import Foundation
package import Postgres

/// What other features need of a booking's customer. Personal data.
package struct BookingContact: Sendable {
  package let business: UUID
  /// E.164.
  package let phone: String
  package let startsAt: Date
}

/// What a notification about a booking says, apart from the subject that was stored with it. Personal data.
package struct NotificationDetails: Sendable {
  package let customer: Customer
  package let status: Booking.Status
  package let startsAt: Date
  package let businessName: String
  /// GMT if the stored zone is unknown to this system.
  package let timeZone: TimeZone
  /// Nil: there is no such service.
  package let serviceName: String?
  /// Professionals that do not exist are missing.
  package let professionalNames: [UUID: String]
}

extension BookingStore {
  /// The contacts of the bookings that exist.
  package func contacts(
    of bookings: [UUID], in transaction: PostgresTransaction
  ) async throws -> [UUID: BookingContact] {
    guard !bookings.isEmpty else { return [:] }
    let rows = try await transaction.query(
      "SELECT id, business_id, customer_phone, starts_at FROM bookings.booking WHERE id = ANY(\(bookings)::uuid[])")
    var contacts: [UUID: BookingContact] = [:]
    for row in rows {
      contacts[try row.decode("id")] = BookingContact(
        business: try row.decode("business_id"), phone: try row.decode("customer_phone"),
        startsAt: try row.decode("starts_at"))
    }
    return contacts
  }

  /// What a notification needs of a booking, in one round trip; nil: there is no such booking, or its business does not
  /// exist.
  ///
  /// - Parameter service: as it was when the notification was stored.
  /// - Parameter professionals: whose names the notification may need.
  package func notificationDetails(
    booking: UUID, service: UUID, professionals: [UUID], in transaction: PostgresTransaction
  ) async throws -> NotificationDetails? {
    let results = try await transaction.run([
      """
      SELECT booking.customer_name, booking.customer_phone, booking.status, booking.starts_at,
        business.name AS business_name, business.time_zone, service.name AS service_name
      FROM bookings.booking JOIN bookings.business ON business.id = booking.business_id
      LEFT JOIN bookings.service ON service.id = \(service)
      WHERE booking.id = \(booking)
      """,
      "SELECT id, name FROM bookings.professional WHERE id = ANY(\(professionals)::uuid[])",
    ])
    guard let row = results[0].first else { return nil }
    var names: [UUID: String] = [:]
    for professional in results[1] { names[try professional.decode(0)] = try professional.decode(1, as: String.self) }
    return NotificationDetails(
      customer: Customer(name: try row.decode("customer_name"), phone: try row.decode("customer_phone")),
      status: try row.decode("status"), startsAt: try row.decode("starts_at"),
      businessName: try row.decode("business_name"),
      timeZone: TimeZone(identifier: try row.decode("time_zone")) ?? .gmt,
      serviceName: try row.decodeIfPresent("service_name"), professionalNames: names)
  }
}
