package import Foundation
package import Postgres
package import WhatsApp

extension InboundStore {
  /// A message of ours that reports speak of.
  package struct ReportedMessage: Sendable {
    /// The intent.
    package let message: UUID
    /// The business that wrote.
    package let business: UUID
    /// What it told.
    package let notification: NotificationKind
    /// Where the message stood before.
    package let before: MessageState
    /// Why it failed, where the reports are the first to say so.
    package internal(set) var newFailure: Int?

    /// True where the reports are the first to say that it was accepted.
    package var isNewlyAccepted: Bool { before != .accepted }
  }

  /// Brings our messages up to date with all that was reported of them so far: a report proves that a message was
  /// accepted, which settles a doubt.
  ///
  /// - Parameter reports: those that are new; their messages are looked at.
  /// - Returns: the messages, by the wamid that was reported.
  package func applyReports(_ reports: [StatusReport], in transaction: PostgresTransaction) async throws -> [String:
    ReportedMessage]
  {
    guard !reports.isEmpty else { return [:] }
    let callbacks = reports.compactMap { $0.callback.flatMap(UUID.init(uuidString:)) }
    let wamids = Array(Set(reports.map(\.wamid)))
    // In a fixed order, so that two batches wait for each other; whoever sends holds the row for a moment only.
    let rows = try await transaction.query(
      """
      SELECT id, business_id, notification, state, wamid, delivery_status FROM messaging.message
      WHERE id = ANY(\(callbacks)::uuid[]) OR wamid = ANY(\(wamids)::text[]) ORDER BY id FOR UPDATE
      """)
    var ours: [UUID: ReportedMessage] = [:]
    var byWamid: [String: UUID] = [:]
    var hadFailed = Set<UUID>()
    for row in rows {
      guard let notification = NotificationKind(rawValue: try row.decode(2)),
        let state = MessageState(rawValue: try row.decode(3))
      else {
        continue
      }
      let id: UUID = try row.decode(0)
      ours[id] = ReportedMessage(message: id, business: try row.decode(1), notification: notification, before: state)
      if let wamid = try row.decodeIfPresent(4, as: String.self) { byWamid[wamid] = id }
      if try row.decodeIfPresent(5, as: String.self) == DeliveryStatus.failed.rawValue { hadFailed.insert(id) }
    }
    var found: [String: ReportedMessage] = [:]
    var accepted: [UUID: String] = [:]
    for report in reports {
      let named = report.callback.flatMap(UUID.init(uuidString:)).flatMap { ours[$0] }
      guard let delivery = named ?? byWamid[report.wamid].flatMap({ ours[$0] }) else { continue }
      if delivery.isNewlyAccepted { accepted[delivery.message] = accepted[delivery.message] ?? report.wamid }
      found[report.wamid] = delivery
    }
    let failures = try await update(Array(Set(found.values.map(\.message))), accepted, in: transaction)
    return found.mapValues { delivery in
      var delivery = delivery
      if !hadFailed.contains(delivery.message) { delivery.newFailure = failures[delivery.message] }
      return delivery
    }
  }

  /// Writes what all reports of the messages come to; returns the codes of those that failed.
  private func update(
    _ messages: [UUID], _ accepted: [UUID: String], in transaction: PostgresTransaction
  ) async throws -> [UUID: Int] {
    guard !messages.isEmpty else { return [:] }
    let wamids = messages.map { accepted[$0] }
    let results = try await transaction.run([
      """
      UPDATE messaging.message AS message SET wamid = coalesce(message.wamid, new.wamid), state = 'accepted',
        attempt_id = NULL,
        updated_at = CASE WHEN message.state = 'accepted' THEN message.updated_at ELSE clock_timestamp() END
      FROM unnest(\(messages)::uuid[], \(wamids)::text[]) AS new (id, wamid) WHERE message.id = new.id
      """,
      """
      SELECT message.id, report.status, report.occurred_at, report.error_code FROM messaging.message AS message
      JOIN messaging.status_report AS report ON report.callback = message.id::text OR report.wamid = message.wamid
      WHERE message.id = ANY(\(messages)::uuid[])
      """,
    ])
    var reports: [UUID: [(status: DeliveryStatus, at: Date)]] = [:]
    var codes: [UUID: Int] = [:]
    for row in results[1] {
      guard let status = DeliveryStatus(rawValue: try row.decode(1)) else { continue }
      let id: UUID = try row.decode(0)
      reports[id, default: []].append((status, try row.decode(2)))
      if status == .failed { codes[id] = try row.decodeIfPresent(3) ?? 0 }
    }
    let summaries = messages.map { DeliveryStatus.summary(of: reports[$0] ?? []) }
    let failures = zip(messages, summaries).map { id, summary in summary == .failed ? codes[id] : nil }
    try await transaction.query(
      """
      UPDATE messaging.message AS message SET delivery_status = new.delivery, delivery_error_code = new.code
      FROM unnest(\(messages)::uuid[], \(summaries.map { $0?.rawValue })::text[], \(failures)::int[])
        AS new (id, delivery, code) WHERE message.id = new.id
      """)
    return Dictionary(zip(messages, failures).compactMap { id, code in code.map { (id, $0) } }) { first, _ in first }
  }

  /// The bookings that messages of ours were about, by their wamids, and the time they told: a reply to one of them
  /// comes from its customer.
  package func bookings(
    ofMessages wamids: [String], in transaction: PostgresTransaction
  ) async throws -> [String: (booking: UUID, startsAt: Date)] {
    guard !wamids.isEmpty else { return [:] }
    var bookings: [String: (booking: UUID, startsAt: Date)] = [:]
    for row in try await transaction.query(
      "SELECT wamid, booking_id, subject::text FROM messaging.message WHERE wamid = ANY(\(wamids)::text[])")
    {
      let subject: NewMessage.Subject = try StoredJSON.value(try row.decode(2, as: String.self))
      bookings[try row.decode(0)] = (try row.decode(1), subject.startsAt)
    }
    return bookings
  }

  /// Learns which accounts numbers belong to; what is known already stays.
  package func storeAccounts(_ accounts: [String: String], in transaction: PostgresTransaction) async throws {
    guard !accounts.isEmpty else { return }
    let numbers = accounts.keys.sorted()
    try await transaction.query(
      """
      INSERT INTO messaging.phone_number_account
      SELECT * FROM unnest(\(numbers)::text[], \(numbers.map { accounts[$0] ?? "" })::text[]) ON CONFLICT DO NOTHING
      """)
  }

  /// Notes whether a template may be used; what happened before the last thing known is passed over. True where it is
  /// news.
  package func put(
    template name: String, language: String, account: String, state: ProviderEvent.TemplateState, at: Date,
    in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      INSERT INTO messaging.template_state AS known (account_id, name, language, state, occurred_at)
      VALUES (\(account), \(name), \(language), \(state.rawValue), \(at))
      ON CONFLICT (account_id, name, language) DO UPDATE SET state = excluded.state, occurred_at = excluded.occurred_at
        WHERE known.occurred_at <= excluded.occurred_at
      """
    ).affectedRows == 1
  }

  /// Notes which recipients want no marketing; the last word by the provider's clock counts. (All messages of today are
  /// of the category utility, so nothing asks for this yet.)
  package func put(
    _ preferences: [(number: String, preference: ProviderEvent.Preference, at: Date)],
    in transaction: PostgresTransaction
  ) async throws {
    struct Key: Hashable {
      let number: String
      let recipient: String
    }
    var latest: [Key: (stops: Bool, at: Date)] = [:]
    for (number, preference, at) in preferences {
      let key = Key(number: number, recipient: preference.recipient)
      if latest[key].map({ $0.at <= at }) ?? true { latest[key] = (preference.optedOut, at) }
    }
    guard !latest.isEmpty else { return }
    // In one order everywhere, so that two batches wait for each other instead of deadlocking.
    let rows = latest.sorted { ($0.key.number, $0.key.recipient) < ($1.key.number, $1.key.recipient) }
    try await transaction.query(
      """
      INSERT INTO messaging.marketing_opt_out AS known (phone_number_id, recipient, opted_out, occurred_at)
      SELECT * FROM unnest(\(rows.map(\.key.number))::text[], \(rows.map(\.key.recipient))::text[],
        \(rows.map(\.value.stops))::boolean[], \(rows.map(\.value.at))::timestamptz[])
      ON CONFLICT (phone_number_id, recipient) DO UPDATE SET opted_out = excluded.opted_out, occurred_at = excluded.occurred_at
        WHERE known.occurred_at <= excluded.occurred_at
      """)
  }
}
