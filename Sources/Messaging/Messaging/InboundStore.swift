package import Foundation
package import Postgres
package import WhatsApp

/// Messages, status reports and events from webhooks. Each is stored once, in any order.
package struct InboundStore: Sendable {
  /// A webhook's update, with the job that brought it.
  package struct ReceivedUpdate<Update: Sendable>: Sendable {
    package let update: Update
    /// Nil: unknown.
    package let business: UUID?
    package let job: UUID
    /// When the job was enqueued: stands in for an update without a time.
    package let receivedAt: Date

    package init(_ update: Update, business: UUID?, job: UUID, receivedAt: Date) {
      self.update = update
      self.business = business
      self.job = job
      self.receivedAt = receivedAt
    }
  }

  package init() {}

  /// The businesses that origins belong to: by the number's id, or by its digits, or by the account if it has only one
  /// number.
  package func businesses(
    of origins: Set<WebhookOrigin>, in transaction: PostgresTransaction
  ) async throws -> [WebhookOrigin: UUID] {
    let origins = Array(origins)
    guard !origins.isEmpty else { return [:] }
    let rows = try await transaction.query(
      """
      SELECT place, coalesce(
        (SELECT business_id FROM messaging.phone_number AS number WHERE number.phone_number_id = requested.number),
        (SELECT business_id FROM messaging.phone_number AS number
         WHERE requested.number IS NULL AND number.display_number = requested.display LIMIT 1),
        (SELECT (array_agg(business_id))[1] FROM messaging.phone_number AS number
         WHERE requested.number IS NULL AND requested.display IS NULL AND number.account_id = requested.account
         HAVING count(*) = 1))
      FROM unnest(\(origins.map(\.phoneNumberID))::text[], \(origins.map(\.displayNumber))::text[],
        \(origins.map(\.account))::text[]) WITH ORDINALITY AS requested (number, display, account, place)
      """)
    var businesses: [WebhookOrigin: UUID] = [:]
    for row in rows {
      let place: Int = try row.decode(0)
      if let business = try row.decodeIfPresent(1, as: UUID.self) { businesses[origins[place - 1]] = business }
    }
    return businesses
  }

  /// Stores messages; returns the wamids of the new ones.
  package func insert(
    messages: [ReceivedUpdate<InboundMessage>], in transaction: PostgresTransaction
  ) async throws -> Set<String> {
    guard !messages.isEmpty else { return [] }
    let rows = messages.sorted { $0.update.wamid < $1.update.wamid }
    let updates = rows.map(\.update)
    let inserted = try await transaction.query(
      """
      INSERT INTO messaging.inbound_message (wamid, business_id, phone_number_id, account_id, sender, user_id,
        profile_name, type, context_id, reply_payload, occurred_at, raw, job_id)
      SELECT * FROM unnest(\(updates.map(\.wamid))::text[], \(rows.map(\.business))::uuid[],
        \(updates.map(\.origin.phoneNumberID))::text[], \(updates.map(\.origin.account))::text[],
        \(updates.map(\.from))::text[], \(updates.map(\.userID))::text[], \(updates.map(\.profileName))::text[],
        \(updates.map(\.type))::text[], \(updates.map(\.contextID))::text[], \(updates.map(\.replyPayload))::text[],
        \(rows.map { $0.update.at ?? $0.receivedAt })::timestamptz[], \(updates.map(\.raw))::jsonb[],
        \(rows.map(\.job))::uuid[])
      ON CONFLICT DO NOTHING RETURNING wamid
      """)
    return Set(try inserted.map { try $0.decode(0) })
  }

  /// Identifies a status report.
  package struct StatusKey: Sendable, Hashable {
    package let wamid: String
    package let status: DeliveryStatus
    package let recipient: String

    package init(_ report: StatusReport) {
      wamid = report.wamid
      status = report.status
      recipient = report.recipient
    }

    fileprivate init(wamid: String, status: DeliveryStatus, recipient: String) {
      self.wamid = wamid
      self.status = status
      self.recipient = recipient
    }
  }

  /// Stores status reports; returns the new ones.
  package func insert(
    statuses: [ReceivedUpdate<StatusReport>], in transaction: PostgresTransaction
  ) async throws -> Set<StatusKey> {
    guard !statuses.isEmpty else { return [] }
    let rows = statuses.sorted {
      ($0.update.wamid, $0.update.status.rawValue, $0.update.recipient)
        < ($1.update.wamid, $1.update.status.rawValue, $1.update.recipient)
    }
    let updates = rows.map(\.update)
    let inserted = try await transaction.query(
      """
      INSERT INTO messaging.status_report
        (wamid, status, recipient, occurred_at, error_code, callback, phone_number_id, raw, job_id)
      SELECT * FROM unnest(\(updates.map(\.wamid))::text[], \(updates.map(\.status.rawValue))::text[],
        \(updates.map(\.recipient))::text[], \(rows.map { $0.update.at ?? $0.receivedAt })::timestamptz[],
        \(updates.map(\.errorCode))::int[], \(updates.map(\.callback))::text[],
        \(updates.map(\.origin.phoneNumberID))::text[], \(updates.map(\.raw))::jsonb[], \(rows.map(\.job))::uuid[])
      ON CONFLICT DO NOTHING RETURNING wamid, status, recipient
      """)
    return Set(
      try inserted.map { row in
        StatusKey(
          wamid: try row.decode("wamid"), status: try row.decode("status"), recipient: try row.decode("recipient"))
      })
  }

  /// Stores events; returns the keys of the new ones.
  package func insert(
    events: [ReceivedUpdate<ProviderEvent>], in transaction: PostgresTransaction
  ) async throws -> Set<String> {
    guard !events.isEmpty else { return [] }
    let rows = events.sorted { $0.update.key < $1.update.key }
    let updates = rows.map(\.update)
    let inserted = try await transaction.query(
      """
      INSERT INTO messaging.provider_event
        (key, field, business_id, account_id, phone_number_id, occurred_at, raw, job_id)
      SELECT * FROM unnest(\(updates.map(\.key))::text[], \(updates.map(\.field))::text[],
        \(rows.map(\.business))::uuid[], \(updates.map(\.origin.account))::text[],
        \(updates.map(\.origin.phoneNumberID))::text[], \(rows.map { $0.update.at ?? $0.receivedAt })::timestamptz[],
        \(updates.map(\.raw))::jsonb[], \(rows.map(\.job))::uuid[])
      ON CONFLICT DO NOTHING RETURNING key
      """)
    return Set(try inserted.map { try $0.decode(0) })
  }
}
