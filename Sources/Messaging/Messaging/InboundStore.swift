package import Foundation
package import Postgres
package import WhatsApp

/// What webhooks tell: messages, status reports and events, each stored once, whatever order they come in.
package struct InboundStore: Sendable {
  /// Something a webhook told, with the job that brought it and when that was enqueued.
  package struct ReceivedUpdate<Update: Sendable>: Sendable {
    /// What was told.
    package let update: Update
    /// The business, where it could be found.
    package let business: UUID?
    /// The job that brought it.
    package let job: UUID
    /// When it came, for what bears no time of its own.
    package let receivedAt: Date

    /// Describes a received update.
    package init(_ update: Update, business: UUID?, job: UUID, receivedAt: Date) {
      self.update = update
      self.business = business
      self.job = job
      self.receivedAt = receivedAt
    }
  }

  /// Uses whatever connection its methods are given.
  package init() {}

  /// The businesses that origins belong to: by the number's id, else by its digits, else by the account where that has
  /// one number only.
  package func businesses(
    of origins: Set<WebhookOrigin>, in transaction: PostgresTransaction
  ) async throws -> [WebhookOrigin: UUID] {
    let origins = Array(origins)
    guard !origins.isEmpty else { return [:] }
    let rows = try await transaction.query(
      """
      SELECT place, coalesce(
        (SELECT business_id FROM messaging.phone_number AS number WHERE number.phone_number_id = wanted.number),
        (SELECT business_id FROM messaging.phone_number AS number
         WHERE wanted.number IS NULL AND number.display_number = wanted.display LIMIT 1),
        (SELECT (array_agg(business_id))[1] FROM messaging.phone_number AS number
         WHERE wanted.number IS NULL AND wanted.display IS NULL AND number.account_id = wanted.account
         HAVING count(*) = 1))
      FROM unnest(\(origins.map(\.phoneNumberID))::text[], \(origins.map(\.displayNumber))::text[],
        \(origins.map(\.account))::text[]) WITH ORDINALITY AS wanted (number, display, account, place)
      """)
    var businesses: [WebhookOrigin: UUID] = [:]
    for row in rows {
      let place: Int = try row.decode(0)
      if let business = try row.decodeIfPresent(1, as: UUID.self) { businesses[origins[place - 1]] = business }
    }
    return businesses
  }

  /// Stores messages; returns the ids of those that were not there before.
  package func insert(
    messages: [ReceivedUpdate<InboundMessage>], in transaction: PostgresTransaction
  ) async throws -> Set<String> {
    guard !messages.isEmpty else { return [] }
    let rows = messages.sorted { $0.update.wamid < $1.update.wamid }
    let updates = rows.map(\.update)
    let inserted = try await transaction.query(
      """
      INSERT INTO messaging.inbound_message (wamid, business_id, phone_number_id, account_id, sender, user_id, profile_name, type,
        context_id, reply_payload, occurred_at, raw, job_id)
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

  /// What a status report is known by.
  package struct StatusKey: Sendable, Hashable {
    /// The message.
    package let wamid: String
    /// The report.
    package let status: DeliveryStatus
    /// The recipient.
    package let recipient: String

    /// The key of a report.
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

  /// Stores status reports; returns those that were not there before.
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
      INSERT INTO messaging.status_report (wamid, status, recipient, occurred_at, error_code, callback, phone_number_id, raw, job_id)
      SELECT * FROM unnest(\(updates.map(\.wamid))::text[], \(updates.map(\.status.rawValue))::text[],
        \(updates.map(\.recipient))::text[], \(rows.map { $0.update.at ?? $0.receivedAt })::timestamptz[],
        \(updates.map(\.errorCode))::int[], \(updates.map(\.callback))::text[],
        \(updates.map(\.origin.phoneNumberID))::text[], \(updates.map(\.raw))::jsonb[], \(rows.map(\.job))::uuid[])
      ON CONFLICT DO NOTHING RETURNING wamid, status, recipient
      """)
    return Set(
      try inserted.compactMap { row in
        guard let status = DeliveryStatus(rawValue: try row.decode(1)) else { return nil }
        return StatusKey(wamid: try row.decode(0), status: status, recipient: try row.decode(2))
      })
  }

  /// Stores events; returns the keys of those that were not there before.
  package func insert(
    events: [ReceivedUpdate<ProviderEvent>], in transaction: PostgresTransaction
  ) async throws -> Set<String> {
    guard !events.isEmpty else { return [] }
    let rows = events.sorted { $0.update.key < $1.update.key }
    let updates = rows.map(\.update)
    let inserted = try await transaction.query(
      """
      INSERT INTO messaging.provider_event (key, field, business_id, account_id, phone_number_id, occurred_at, raw, job_id)
      SELECT * FROM unnest(\(updates.map(\.key))::text[], \(updates.map(\.field))::text[],
        \(rows.map(\.business))::uuid[], \(updates.map(\.origin.account))::text[],
        \(updates.map(\.origin.phoneNumberID))::text[], \(rows.map { $0.update.at ?? $0.receivedAt })::timestamptz[],
        \(updates.map(\.raw))::jsonb[], \(rows.map(\.job))::uuid[])
      ON CONFLICT DO NOTHING RETURNING key
      """)
    return Set(try inserted.map { try $0.decode(0) })
  }
}
