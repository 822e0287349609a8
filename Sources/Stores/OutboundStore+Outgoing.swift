public import Foundation
public import Postgres
internal import WhatsApp

extension OutboundStore {
  /// A message with all that must be known to send it, in one round trip; nil where there is none.
  public func outgoing(_ id: UUID, in transaction: PostgresTransaction) async throws -> OutgoingMessage? {
    let results = try await transaction.run([
      """
      SELECT message.business_id, message.booking_id, message.notice, message.state, message.sending_at,
        message.resends, message.code, message.repeats, message.other_form, message.expires_at,
        message.phone_number_id, coalesce(number.account_id, learned.account_id, message.phone_number_id), message.facts::text,
        booking.customer_name, booking.customer_phone, booking.status, booking.starts_at, business.name,
        business.time_zone, service.name, professional.name,
        (SELECT recipient_id FROM whatsapp.address WHERE address.business_id = message.business_id
           AND address.number = ltrim(booking.customer_phone, '+')),
        least(
          (SELECT received_at FROM whatsapp.status_report AS report
           WHERE report.phone_number_id = message.phone_number_id AND report.at > message.sending_at
           ORDER BY report.at LIMIT 1),
          (SELECT received_at FROM whatsapp.inbound
           WHERE inbound.phone_number_id = message.phone_number_id AND inbound.at > message.sending_at
           ORDER BY inbound.at LIMIT 1)),
        clock_timestamp()
      FROM whatsapp.outbound AS message
      JOIN scheduling.booking ON booking.id = message.booking_id
      JOIN scheduling.business ON business.id = message.business_id
      LEFT JOIN whatsapp.number ON number.phone_number_id = message.phone_number_id
      LEFT JOIN whatsapp.number_account AS learned ON learned.phone_number_id = message.phone_number_id
      LEFT JOIN scheduling.service ON service.id = (message.facts ->> 'service')::uuid
      LEFT JOIN scheduling.professional ON professional.id = (message.facts ->> 'professional')::uuid
      WHERE message.id = \(id)
      """,
      """
      SELECT DISTINCT professional.id, professional.name FROM whatsapp.outbound AS message,
        jsonb_array_elements(message.facts -> 'alternatives') AS slot
      JOIN scheduling.professional ON professional.id = (slot ->> 'professional')::uuid
      WHERE message.id = \(id)
      """,
      """
      SELECT pause.scope, pause.key, pause.until, pause.code FROM whatsapp.outbound AS message
      LEFT JOIN whatsapp.number ON number.phone_number_id = message.phone_number_id
      LEFT JOIN whatsapp.number_account AS learned ON learned.phone_number_id = message.phone_number_id
      JOIN whatsapp.pause ON (pause.scope = 'number' AND pause.key = message.phone_number_id)
        OR (pause.scope = 'account' AND pause.key = coalesce(number.account_id, learned.account_id, message.phone_number_id))
        OR (pause.scope = 'template'
            AND starts_with(pause.key, coalesce(number.account_id, learned.account_id, message.phone_number_id) || '|'))
      WHERE message.id = \(id)
      """,
    ])
    guard let row = results[0].first else { return nil }
    var names: [UUID: String] = [:]
    for professional in results[1] { names[try professional.decode(0)] = try professional.decode(1, as: String.self) }
    let pauses = try results[2].compactMap { pause in
      try SendVerdict.Scope(rawValue: pause.decode(0)).map {
        SendPause(scope: $0, key: try pause.decode(1), until: try pause.decode(2), code: try pause.decode(3))
      }
    }
    return try Self.message(id, row, names, pauses)
  }

  private static func message(
    _ id: UUID, _ row: PostgresRow, _ names: [UUID: String], _ pauses: [SendPause]
  ) throws -> OutgoingMessage {
    guard let notice = Notice(rawValue: try row.decode(2)), let state = SendState(rawValue: try row.decode(3)),
      let status = Booking.Status(rawValue: try row.decode(15))
    else { throw BrokenCatalog(what: "a message's notice or state is unknown to this program") }
    let stored: NewMessage.Facts = try StoredJSON.value(try row.decode(12, as: String.self))
    let facts = Notice.Facts(
      customer: try row.decode(13), business: try row.decode(17),
      service: try row.decodeIfPresent(19) ?? "Atendimento", professional: try row.decodeIfPresent(20) ?? "a equipe",
      startsAt: stored.startsAt,
      alternatives: stored.alternatives.map { slot in
        .init(
          startsAt: slot.startsAt,
          professional: slot.professional == stored.professional ? nil : names[slot.professional])
      }, timeZone: TimeZone(identifier: try row.decode(18)) ?? .gmt)
    return OutgoingMessage(
      id: id, business: try row.decode(0), booking: try row.decode(1), notice: notice, state: state,
      sendingAt: try row.decodeIfPresent(4), resends: try row.decode(5), code: try row.decodeIfPresent(6),
      repeats: try row.decode(7), usesOtherForm: try row.decode(8), expiresAt: try row.decode(9),
      isSuperseded: isSuperseded(notice, stored.startsAt, status, try row.decode(16)),
      phoneNumberID: try row.decode(10), account: try row.decode(11),
      customerNumber: try row.decode(14, as: String.self).filter { $0 != "+" },
      recipientID: try row.decodeIfPresent(21),
      facts: facts, pauses: pauses, webhooksSince: try row.decodeIfPresent(22), readAt: try row.decode(23))
  }

  /// True where the booking is not any more as the notice says. A refusal was true when it was made, and stays so.
  private static func isSuperseded(
    _ notice: Notice, _ startsAt: Date, _ status: Booking.Status, _ bookedFor: Date
  ) -> Bool {
    switch notice {
    case .confirmed, .rescheduled: status == .cancelled || abs(bookedFor.timeIntervalSince(startsAt)) >= 1
    case .notRescheduled: status == .cancelled
    case .rejected, .cancelled: false
    }
  }
}
