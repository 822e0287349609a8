internal import Bookings
package import Foundation
package import Postgres
internal import WhatsApp

extension MessageStore {
  /// A message with all that must be known to send it, in one round trip; nil where there is none.
  package func find(_ id: UUID, in transaction: PostgresTransaction) async throws -> OutgoingMessage? {
    let results = try await transaction.run([
      """
      SELECT message.business_id, message.booking_id, message.notification, message.state, message.sending_at,
        message.resend_count, message.error_code, message.error_repeats, message.uses_alternate_number, message.expires_at,
        message.phone_number_id, coalesce(number.account_id, reported.account_id, message.phone_number_id), message.subject::text,
        booking.customer_name, booking.customer_phone, booking.status, booking.starts_at, business.name,
        business.time_zone, service.name, professional.name,
        (SELECT recipient_id FROM messaging.recipient AS address WHERE address.business_id = message.business_id
           AND address.number = ltrim(booking.customer_phone, '+')),
        least(
          (SELECT received_at FROM messaging.status_report AS report
           WHERE report.phone_number_id = message.phone_number_id AND report.occurred_at > message.sending_at
           ORDER BY report.occurred_at LIMIT 1),
          (SELECT received_at FROM messaging.inbound_message AS inbound
           WHERE inbound.phone_number_id = message.phone_number_id AND inbound.occurred_at > message.sending_at
           ORDER BY inbound.occurred_at LIMIT 1)),
        clock_timestamp()
      FROM messaging.message AS message
      JOIN bookings.booking ON booking.id = message.booking_id
      JOIN bookings.business ON business.id = message.business_id
      LEFT JOIN messaging.phone_number AS number ON number.phone_number_id = message.phone_number_id
      LEFT JOIN messaging.phone_number_account AS reported ON reported.phone_number_id = message.phone_number_id
      LEFT JOIN bookings.service ON service.id = (message.subject ->> 'service')::uuid
      LEFT JOIN bookings.professional ON professional.id = (message.subject ->> 'professional')::uuid
      WHERE message.id = \(id)
      """,
      """
      SELECT DISTINCT professional.id, professional.name FROM messaging.message AS message,
        jsonb_array_elements(message.subject -> 'alternatives') AS slot
      JOIN bookings.professional ON professional.id = (slot ->> 'professional')::uuid
      WHERE message.id = \(id)
      """,
      """
      SELECT suspension.scope, suspension.key, suspension.until, suspension.error_code FROM messaging.message AS message
      LEFT JOIN messaging.phone_number AS number ON number.phone_number_id = message.phone_number_id
      LEFT JOIN messaging.phone_number_account AS reported ON reported.phone_number_id = message.phone_number_id
      JOIN messaging.suspension ON (suspension.scope = 'number' AND suspension.key = message.phone_number_id)
        OR (suspension.scope = 'account' AND suspension.key = coalesce(number.account_id, reported.account_id, message.phone_number_id))
        OR (suspension.scope = 'template'
            AND starts_with(suspension.key, coalesce(number.account_id, reported.account_id, message.phone_number_id) || '|'))
      WHERE message.id = \(id)
      """,
    ])
    guard let row = results[0].first else { return nil }
    var names: [UUID: String] = [:]
    for professional in results[1] { names[try professional.decode(0)] = try professional.decode(1, as: String.self) }
    let suspensions = try results[2].compactMap { suspension in
      try ErrorPolicy.Scope(rawValue: suspension.decode(0)).map {
        Suspension(
          scope: $0, key: try suspension.decode(1), until: try suspension.decode(2), code: try suspension.decode(3))
      }
    }
    return try Self.message(id, row, names, suspensions)
  }

  private static func message(
    _ id: UUID, _ row: PostgresRow, _ names: [UUID: String], _ suspensions: [Suspension]
  ) throws -> OutgoingMessage {
    guard let notification = NotificationKind(rawValue: try row.decode(2)),
      let state = MessageState(rawValue: try row.decode(3)),
      let status = Booking.Status(rawValue: try row.decode(15))
    else { throw InvalidCatalog(reason: "a message's notification or state is unknown to this program") }
    let stored: NewMessage.Subject = try StoredJSON.value(try row.decode(12, as: String.self))
    let templateValues = NotificationKind.TemplateValues(
      customer: try row.decode(13), business: try row.decode(17),
      service: try row.decodeIfPresent(19) ?? "Atendimento", professional: try row.decodeIfPresent(20) ?? "a equipe",
      startsAt: stored.startsAt,
      alternatives: stored.alternatives.map { slot in
        .init(
          startsAt: slot.startsAt,
          professional: slot.professional == stored.professional ? nil : names[slot.professional])
      }, timeZone: TimeZone(identifier: try row.decode(18)) ?? .gmt)
    return OutgoingMessage(
      id: id, business: try row.decode(0), booking: try row.decode(1), notification: notification, state: state,
      sendingAt: try row.decodeIfPresent(4), resends: try row.decode(5), code: try row.decodeIfPresent(6),
      repeats: try row.decode(7), usesAlternateNumber: try row.decode(8), expiresAt: try row.decode(9),
      isSuperseded: isSuperseded(notification, stored.startsAt, status, try row.decode(16)),
      phoneNumberID: try row.decode(10), account: try row.decode(11),
      customerNumber: try row.decode(14, as: String.self).filter { $0 != "+" },
      recipientID: try row.decodeIfPresent(21),
      templateValues: templateValues, suspensions: suspensions, webhooksSince: try row.decodeIfPresent(22),
      readAt: try row.decode(23))
  }

  /// True where the booking is not any more as the notification says. A refusal was true when it was made, and stays so.
  private static func isSuperseded(
    _ notification: NotificationKind, _ startsAt: Date, _ status: Booking.Status, _ bookedFor: Date
  ) -> Bool {
    switch notification {
    case .confirmed, .rescheduled: status == .cancelled || abs(bookedFor.timeIntervalSince(startsAt)) >= 1
    case .notRescheduled: status == .cancelled
    case .rejected, .cancelled: false
    }
  }
}
