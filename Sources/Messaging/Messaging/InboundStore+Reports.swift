package import Foundation
package import Postgres
package import WhatsApp

extension InboundStore {
  /// A message of ours that status reports are about.
  package struct ReportedMessage: Sendable {
    package let message: UUID
    package let business: UUID
    package let booking: UUID
    package let notification: NotificationKind
    /// Its state before the reports.
    package let stateBefore: MessageState
    /// The error code of a failure that these reports are the first to report; nil: none.
    package internal(set) var newFailure: Int?

    /// True: these reports are the first sign that it was accepted.
    package var isNewlyAccepted: Bool { stateBefore != .accepted }
  }

  /// Messages of ours as the database has them, locked, before reports are applied.
  private struct KnownMessages {
    var byID: [UUID: ReportedMessage] = [:]
    var byWamid: [String: UUID] = [:]
    var failed = Set<UUID>()

    init(_ rows: PostgresResult) throws {
      for row in rows {
        // A newer version of the program may have notifications that this one does not know.
        guard let notification = NotificationKind(rawValue: try row.decode("notification")) else { continue }
        let id: UUID = try row.decode("id")
        byID[id] = ReportedMessage(
          message: id, business: try row.decode("business_id"), booking: try row.decode("booking_id"),
          notification: notification, stateBefore: try row.decode("state"))
        if let wamid = try row.decodeIfPresent("wamid", as: String.self) { byWamid[wamid] = id }
        if try row.decodeIfPresent("delivery_status", as: String.self) == DeliveryStatus.failed.rawValue {
          failed.insert(id)
        }
      }
    }

    func message(of report: StatusReport) -> ReportedMessage? {
      report.callback.flatMap(UUID.init(uuidString:)).flatMap { byID[$0] }
        ?? byWamid[report.wamid].flatMap { byID[$0] }
    }
  }

  /// Applies everything reported so far to our messages. A report proves that WhatsApp accepted the message, so a
  /// message in doubt becomes accepted.
  ///
  /// - Parameter reports: the new ones; only their messages are updated.
  /// - Returns: the messages, by the reported wamid.
  package func applyReports(
    _ reports: [StatusReport], in transaction: PostgresTransaction
  ) async throws -> [String: ReportedMessage] {
    guard !reports.isEmpty else { return [:] }
    let callbacks = reports.compactMap { $0.callback.flatMap(UUID.init(uuidString:)) }
    let wamids = Array(Set(reports.map(\.wamid)))
    // In a fixed order, so that two batches do not deadlock. A sender locks its row only for a moment.
    let known = try KnownMessages(
      try await transaction.query(
        """
        SELECT id, business_id, booking_id, notification, state, wamid, delivery_status FROM messaging.message
        WHERE id = ANY(\(callbacks)::uuid[]) OR wamid = ANY(\(wamids)::text[]) ORDER BY id FOR UPDATE
        """))
    var found: [String: ReportedMessage] = [:]
    var accepted: [UUID: String] = [:]
    for report in reports {
      guard let reported = known.message(of: report) else { continue }
      if reported.isNewlyAccepted { accepted[reported.message] = accepted[reported.message] ?? report.wamid }
      found[report.wamid] = reported
    }
    let failures = try await update(Array(Set(found.values.map(\.message))), accepted, in: transaction)
    return found.mapValues { reported in
      var reported = reported
      if !known.failed.contains(reported.message) { reported.newFailure = failures[reported.message] }
      return reported
    }
  }

  /// Updates the messages from all their stored reports; returns the error codes of those that failed.
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
      guard let status = DeliveryStatus(rawValue: try row.decode("status")) else { continue }
      let id: UUID = try row.decode("id")
      reports[id, default: []].append((status, try row.decode("occurred_at")))
      if status == .failed { codes[id] = try row.decodeIfPresent("error_code") ?? 0 }
    }
    let summaries = messages.map { DeliveryStatus.summary(of: reports[$0] ?? []) }
    let failures = zip(messages, summaries).map { id, summary in summary == .failed ? codes[id] : nil }
    try await transaction.query(
      """
      UPDATE messaging.message AS message SET delivery_status = new.status, delivery_error_code = new.error_code
      FROM unnest(\(messages)::uuid[], \(summaries.map { $0?.rawValue })::text[], \(failures)::int[])
        AS new (id, status, error_code) WHERE message.id = new.id
      """)
    return Dictionary(zip(messages, failures).compactMap { id, code in code.map { (id, $0) } }) { first, _ in first }
  }

  /// The bookings that messages of ours were about, by wamid, and the time they stated: a reply to one of them comes
  /// from its customer.
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
}
