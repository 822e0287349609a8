public import Foundation
public import Postgres
internal import WhatsApp

/// Messages to customers: intents, and how far each has come.
///
/// A row is written before anything is sent. Only who moves it from `prepared` to `sending` sends; what becomes of a
/// message whose sender is gone, its status reports say.
public struct OutboundStore: Sendable {
  private let defaultNumber: String?

  /// Uses whatever connection its methods are given.
  ///
  /// - Parameter defaultNumber: the id of the number that businesses without one of their own write from; nil: those
  ///   write nothing.
  public init(defaultNumber: String? = nil) { self.defaultNumber = defaultNumber }

  /// Stores intents, all in one statement.
  ///
  /// - Parameter cause: the job they follow from: the same notice of the same job is stored once.
  /// - Returns: the intents that are to be sent, and the number each goes out from; those of businesses that have no
  ///   number are left out.
  public func prepare(
    _ messages: [(message: NewMessage, cause: UUID)], in transaction: PostgresTransaction
  ) async throws -> [UUID: String] {
    guard !messages.isEmpty else { return [:] }
    let all = messages.map(\.message)
    let rows = try await transaction.query(
      """
      INSERT INTO whatsapp.outbound
        (id, business_id, booking_id, notice, cause, phone_number_id, facts, expires_at)
      SELECT new.id, new.business, new.booking, new.notice, new.cause,
        coalesce(number.phone_number_id, \(defaultNumber)::text), new.facts, new.expires
      FROM unnest(\(all.map(\.id))::uuid[], \(all.map(\.business))::uuid[], \(all.map(\.booking))::uuid[],
          \(all.map(\.notice.rawValue))::text[], \(messages.map(\.cause))::uuid[],
          \(try all.map { try StoredJSON.text($0.facts) })::jsonb[], \(all.map(\.expiresAt))::timestamptz[])
        AS new (id, business, booking, notice, cause, facts, expires)
      JOIN scheduling.business ON business.id = new.business
      LEFT JOIN whatsapp.number ON number.business_id = new.business
      WHERE coalesce(number.phone_number_id, \(defaultNumber)::text) IS NOT NULL
      ON CONFLICT DO NOTHING RETURNING id, phone_number_id
      """)
    var prepared: [UUID: String] = [:]
    for row in rows { prepared[try row.decode(0)] = try row.decode(1, as: String.self) }
    return prepared
  }

  /// Takes a message into hand: true for the one caller that may send it now, also where it asks again because it does
  /// not know whether its first word was committed.
  ///
  /// - Parameter owner: tells this attempt from all others.
  /// - Parameter job: the job whose attempt it is, for the message's story.
  public func claim(_ id: UUID, owner: UUID, job: UUID, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = 'sending', owner = \(owner), job_id = \(job), sending_at = clock_timestamp(),
        sends = sends + 1, updated_at = clock_timestamp()
      WHERE id = \(id) AND (state = 'prepared' OR (state = 'sending' AND owner = \(owner)))
      """
    ).affectedRows == 1
  }

  /// WhatsApp has accepted it, as its answer or a status report says. Whoever is first stores it; true for that one.
  public func accept(_ id: UUID, wamid: String, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = 'accepted', wamid = \(wamid), code = NULL, repeats = 0,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state <> 'accepted'
      """
    ).affectedRows == 1
  }

  /// The sender is sure that it was not accepted: it may be sent again.
  ///
  /// - Parameter code: the refusal's; nil where nothing arrived.
  /// - Parameter otherForm: true: next time to the number's other form.
  public func putBack(
    _ id: UUID, owner: UUID, code: Int?, otherForm: Bool = false, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = 'prepared', owner = NULL, code = \(code),
        repeats = CASE WHEN code IS NOT DISTINCT FROM \(code)::int THEN repeats + 1 ELSE 1 END,
        other_form = other_form OR \(otherForm), updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'sending' AND owner = \(owner)
      """)
  }

  /// It will not be sent, or not again. True where that was still to be decided.
  public func end(
    _ id: UUID, as state: SendState, from states: [SendState], code: Int?, in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = \(state.rawValue), code = coalesce(\(code)::int, code), owner = NULL,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state = ANY(\(states.map(\.rawValue))::text[])
      """
    ).affectedRows == 1
  }

  /// The sender does not know whether it was accepted, or is gone.
  public func doubt(_ id: UUID, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = 'in_doubt', owner = NULL, updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'sending'
      """)
  }

  /// The doubt is taken to mean that it was not accepted; true for the one caller that may send it again.
  public func resend(_ id: UUID, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = 'prepared', resends = resends + 1, updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'in_doubt'
      """
    ).affectedRows == 1
  }

  /// How many messages are on their way, in doubt, or of an end that nobody knows.
  public func openCounts(in pool: PostgresPool) async throws -> [SendState: Int] {
    var counts: [SendState: Int] = [:]
    for row in try await pool.query(
      """
      SELECT state, count(*) FROM whatsapp.outbound WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown')
      GROUP BY state
      """)
    {
      if let state = SendState(rawValue: try row.decode(0)) { counts[state] = try row.decode(1) }
    }
    return counts
  }

  /// Stores an intent for the same notice to the other form of a Brazilian number: once for each message that was not
  /// in that form itself, and only where the number has another form.
  ///
  /// - Returns: the number it goes out from; nil where nothing is to be tried.
  public func prepareOtherForm(
    of message: UUID, as id: UUID, in transaction: PostgresTransaction
  ) async throws -> String? {
    let row = try await transaction.query(
      """
      SELECT coalesce(address.recipient_id, ltrim(booking.customer_phone, '+'))
      FROM whatsapp.outbound AS message JOIN scheduling.booking ON booking.id = message.booking_id
      LEFT JOIN whatsapp.address ON address.business_id = message.business_id
        AND address.number = ltrim(booking.customer_phone, '+')
      WHERE message.id = \(message) AND NOT message.other_form AND message.expires_at > now()
      """
    ).first
    guard let row, PhoneNumber.otherForm(of: try row.decode(0)) != nil else { return nil }
    return try await transaction.query(
      """
      INSERT INTO whatsapp.outbound
        (id, business_id, booking_id, notice, cause, phone_number_id, facts, expires_at, other_form)
      SELECT \(id), business_id, booking_id, notice, id, phone_number_id, facts, expires_at, true
      FROM whatsapp.outbound WHERE id = \(message)
      ON CONFLICT DO NOTHING RETURNING phone_number_id
      """
    ).first.map { try $0.decode(0) }
  }

  /// Ends messages that are still open an hour after their time is over: their jobs have long been done, discarded or
  /// dead, and nothing stays open for ever.
  ///
  /// - Returns: what was ended, and as what.
  public func sweep(
    limit: Int, in transaction: PostgresTransaction
  ) async throws -> [(business: UUID, state: SendState)] {
    try await transaction.query(
      """
      UPDATE whatsapp.outbound SET state = CASE WHEN state = 'prepared' THEN 'expired' ELSE 'unknown' END, owner = NULL,
        updated_at = clock_timestamp()
      WHERE id IN (
        SELECT id FROM whatsapp.outbound WHERE state IN ('prepared', 'sending', 'in_doubt')
          AND expires_at < now() - interval '1 hour' ORDER BY id LIMIT \(limit) FOR UPDATE SKIP LOCKED)
      RETURNING business_id, state
      """
    ).compactMap { row in
      guard let state = SendState(rawValue: try row.decode(1)) else { return nil }
      return (try row.decode(0), state)
    }
  }

  /// Remembers the id the provider has for a number.
  public func remember(
    _ recipientID: String, for number: String, of business: UUID, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      INSERT INTO whatsapp.address (business_id, number, recipient_id) VALUES (\(business), \(number), \(recipientID))
      ON CONFLICT (business_id, number) DO UPDATE SET recipient_id = excluded.recipient_id, updated_at = clock_timestamp()
      """)
  }

  /// Forgets that id: it leads nowhere.
  public func forgetAddress(of number: String, of business: UUID, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      "DELETE FROM whatsapp.address WHERE business_id = \(business) AND number = \(number)")
  }

  /// Gives a business a number to write from, or replaces it: used by set-up and demos.
  public func put(
    number: String, of business: UUID, account: String?, display: String?, in pool: PostgresPool
  ) async throws {
    try await pool.query(
      """
      INSERT INTO whatsapp.number (phone_number_id, business_id, account_id, display_number)
      VALUES (\(number), \(business), \(account), \(display))
      ON CONFLICT (business_id) DO UPDATE SET phone_number_id = excluded.phone_number_id,
        account_id = coalesce(excluded.account_id, number.account_id),
        display_number = coalesce(excluded.display_number, number.display_number)
      """)
  }
}
