public import Foundation
public import Postgres
public import WhatsApp

extension InboundStore {
  /// A message of ours that reports speak of.
  public struct Delivery: Sendable {
    /// The intent.
    public let message: UUID
    /// The business that wrote.
    public let business: UUID
    /// What it told.
    public let notice: Notice
    /// True where the reports are the first to say that it was accepted.
    public let isNewlyAccepted: Bool
  }

  /// Brings our messages up to date with all that was reported of them so far: a report proves that a message was
  /// accepted, which settles a doubt.
  ///
  /// - Parameter keys: the reports that are new; their messages are looked at.
  /// - Returns: the messages, by the wamid that was reported.
  public func settle(_ reports: [StatusReport], in transaction: PostgresTransaction) async throws -> [String: Delivery]
  {
    guard !reports.isEmpty else { return [:] }
    let callbacks = reports.compactMap { $0.callback.flatMap(UUID.init(uuidString:)) }
    let wamids = Array(Set(reports.map(\.wamid)))
    // In a fixed order, so that two batches wait for each other; whoever sends holds the row for a moment only.
    let rows = try await transaction.query(
      """
      SELECT id, business_id, notice, state, wamid FROM whatsapp.outbound
      WHERE id = ANY(\(callbacks)::uuid[]) OR wamid = ANY(\(wamids)::text[]) ORDER BY id FOR UPDATE
      """)
    var ours: [UUID: (business: UUID, notice: Notice, state: String, wamid: String?)] = [:]
    for row in rows {
      guard let notice = Notice(rawValue: try row.decode(2)) else { continue }
      ours[try row.decode(0)] = (try row.decode(1), notice, try row.decode(3), try row.decodeIfPresent(4))
    }
    var found: [String: Delivery] = [:]
    var accepted: [UUID: String] = [:]
    for report in reports {
      let byCallback = report.callback.flatMap(UUID.init(uuidString:)).flatMap { id in ours[id].map { (id, $0) } }
      guard let (id, message) = byCallback ?? ours.first(where: { $0.value.wamid == report.wamid }).map({ ($0, $1) })
      else { continue }
      let isNew = message.state != SendState.accepted.rawValue
      if isNew { accepted[id] = accepted[id] ?? report.wamid }
      found[report.wamid] = Delivery(
        message: id, business: message.business, notice: message.notice, isNewlyAccepted: isNew)
    }
    try await update(Array(Set(found.values.map(\.message))), accepted, in: transaction)
    return found
  }

  private func update(_ messages: [UUID], _ accepted: [UUID: String], in transaction: PostgresTransaction) async throws
  {
    guard !messages.isEmpty else { return }
    let wamids = messages.map { accepted[$0] }
    try await transaction.query(
      """
      UPDATE whatsapp.outbound AS message SET wamid = coalesce(message.wamid, new.wamid), state = 'accepted',
        owner = NULL,
        updated_at = CASE WHEN message.state = 'accepted' THEN message.updated_at ELSE clock_timestamp() END
      FROM unnest(\(messages)::uuid[], \(wamids)::text[]) AS new (id, wamid) WHERE message.id = new.id
      """)
    var reports: [UUID: [(status: DeliveryStatus, at: Date)]] = [:]
    var codes: [UUID: Int] = [:]
    for row in try await transaction.query(
      """
      SELECT message.id, report.status, report.at, report.code FROM whatsapp.outbound AS message
      JOIN whatsapp.status_report AS report ON report.callback = message.id::text OR report.wamid = message.wamid
      WHERE message.id = ANY(\(messages)::uuid[])
      """)
    {
      guard let status = DeliveryStatus(rawValue: try row.decode(1)) else { continue }
      let id: UUID = try row.decode(0)
      reports[id, default: []].append((status, try row.decode(2)))
      if status == .failed { codes[id] = try row.decodeIfPresent(3) }
    }
    let summaries = messages.map { DeliveryStatus.summary(of: reports[$0] ?? []) }
    let failures = zip(messages, summaries).map { id, summary in summary == .failed ? codes[id] : nil }
    try await transaction.query(
      """
      UPDATE whatsapp.outbound AS message SET delivery = new.delivery, delivery_code = new.code
      FROM unnest(\(messages)::uuid[], \(summaries.map { $0?.rawValue })::text[], \(failures)::int[])
        AS new (id, delivery, code) WHERE message.id = new.id
      """)
  }

  /// The bookings that messages of ours were about, by their wamids: a reply to one of them comes from its customer.
  public func bookings(
    ofMessages wamids: [String], in transaction: PostgresTransaction
  ) async throws -> [String: UUID] {
    guard !wamids.isEmpty else { return [:] }
    var bookings: [String: UUID] = [:]
    for row in try await transaction.query(
      "SELECT wamid, booking_id FROM whatsapp.outbound WHERE wamid = ANY(\(wamids)::text[])")
    {
      bookings[try row.decode(0)] = try row.decode(1, as: UUID.self)
    }
    return bookings
  }

  /// Notes whether a template may be used; what happened before the last thing known is passed over. True where it is
  /// news.
  public func put(
    template name: String, language: String, account: String, state: ProviderEvent.TemplateState, at: Date,
    in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      INSERT INTO whatsapp.template_state AS known (account_id, name, language, state, at)
      VALUES (\(account), \(name), \(language), \(state.rawValue), \(at))
      ON CONFLICT (account_id, name, language) DO UPDATE SET state = excluded.state, at = excluded.at
        WHERE known.at <= excluded.at
      """
    ).affectedRows == 1
  }

  /// Notes whether a recipient wants marketing; the last word by the provider's clock counts.
  public func put(
    _ preference: ProviderEvent.Preference, number: String, at: Date, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      INSERT INTO whatsapp.marketing_stop AS known (phone_number_id, recipient, stops, at)
      VALUES (\(number), \(preference.recipient), \(preference.stops), \(at))
      ON CONFLICT (phone_number_id, recipient) DO UPDATE SET stops = excluded.stops, at = excluded.at
        WHERE known.at <= excluded.at
      """)
  }
}
