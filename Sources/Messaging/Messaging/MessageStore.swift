package import Foundation
package import Postgres
internal import WhatsApp

/// Messages to customers: intents, and how far each has come.
///
/// A row is written before anything is sent. Only who moves it from `prepared` to `sending` sends; what becomes of a
/// message whose sender is gone, its status reports say.
package struct MessageStore: Sendable {
  private let defaultNumber: String?

  /// Uses whatever connection its methods are given.
  ///
  /// - Parameter defaultNumber: the id of the number that businesses without one of their own write from; nil: those
  ///   write nothing.
  package init(defaultNumber: String? = nil) { self.defaultNumber = defaultNumber }

  /// Stores intents, all in one statement.
  ///
  /// - Parameter cause: the job they follow from: the same notification of the same job is stored once.
  /// - Returns: the intents that are to be sent, and the number each goes out from; those of businesses that have no
  ///   number are left out.
  package func prepare(
    _ messages: [(message: NewMessage, cause: UUID)], in transaction: PostgresTransaction
  ) async throws -> [UUID: String] {
    guard !messages.isEmpty else { return [:] }
    let all = messages.map(\.message)
    let rows = try await transaction.query(
      """
      INSERT INTO messaging.message
        (id, business_id, booking_id, notice, cause_id, phone_number_id, subject, expires_at)
      SELECT new.id, new.business, new.booking, new.notification, new.cause_id,
        coalesce(number.phone_number_id, \(defaultNumber)::text), new.subject, new.expires
      FROM unnest(\(all.map(\.id))::uuid[], \(all.map(\.business))::uuid[], \(all.map(\.booking))::uuid[],
          \(all.map(\.notification.rawValue))::text[], \(messages.map(\.cause))::uuid[],
          \(try all.map { try StoredJSON.text($0.subject) })::jsonb[], \(all.map(\.expiresAt))::timestamptz[])
        AS new (id, business, booking, notice, cause_id, subject, expires)
      JOIN bookings.business ON business.id = new.business
      LEFT JOIN messaging.phone_number AS number ON number.business_id = new.business
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
  package func beginSending(_ id: UUID, owner: UUID, job: UUID, in transaction: PostgresTransaction) async throws
    -> Bool
  {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'sending', attempt_id = \(owner), job_id = \(job), sending_at = clock_timestamp(),
        send_count = send_count + 1, updated_at = clock_timestamp()
      WHERE id = \(id) AND (state = 'prepared' OR (state = 'sending' AND attempt_id = \(owner)))
      """
    ).affectedRows == 1
  }

  /// WhatsApp has accepted it, as its answer or a status report says. Whoever is first stores it; true for that one.
  package func markAccepted(_ id: UUID, wamid: String, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'accepted', wamid = \(wamid), error_code = NULL, error_repeats = 0,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state <> 'accepted'
      """
    ).affectedRows == 1
  }

  /// The sender is sure that it was not accepted: it may be sent again.
  ///
  /// - Parameter code: the refusal's; nil where nothing arrived.
  /// - Parameter alternateNumber: true: next time to the number's other form.
  package func returnToPrepared(
    _ id: UUID, owner: UUID, code: Int?, alternateNumber: Bool = false, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'prepared', attempt_id = NULL, error_code = \(code),
        error_repeats = CASE WHEN error_code IS NOT DISTINCT FROM \(code)::int THEN error_repeats + 1 ELSE 1 END,
        uses_alternate_number = uses_alternate_number OR \(alternateNumber), updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'sending' AND attempt_id = \(owner)
      """)
  }

  /// It will not be sent, or not again. True where that was still to be decided.
  package func finish(
    _ id: UUID, as state: MessageState, from states: [MessageState], code: Int?, in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = \(state.rawValue), error_code = coalesce(\(code)::int, error_code), attempt_id = NULL,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state = ANY(\(states.map(\.rawValue))::text[])
      """
    ).affectedRows == 1
  }

  /// The sender does not know whether it was accepted, or is gone.
  package func markInDoubt(_ id: UUID, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'in_doubt', attempt_id = NULL, updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'sending'
      """)
  }

  /// The doubt is taken to mean that it was not accepted; true for the one caller that may send it again.
  package func prepareResend(_ id: UUID, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'prepared', resend_count = resend_count + 1, updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'in_doubt'
      """
    ).affectedRows == 1
  }

  /// How many messages are on their way, in doubt, or of an end that nobody knows.
  package func openCounts(in pool: PostgresConnectionPool) async throws -> [MessageState: Int] {
    var counts: [MessageState: Int] = [:]
    for row in try await pool.query(
      """
      SELECT state, count(*) FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown')
      GROUP BY state
      """)
    {
      if let state = MessageState(rawValue: try row.decode(0)) { counts[state] = try row.decode(1) }
    }
    return counts
  }

  /// Stores an intent for the same notification to the other form of a Brazilian number: once for each message that was not
  /// in that form itself, and only where the number has another form.
  ///
  /// - Returns: the number it goes out from; nil where nothing is to be tried.
  package func prepareAlternateNumber(
    of message: UUID, as id: UUID, in transaction: PostgresTransaction
  ) async throws -> String? {
    let row = try await transaction.query(
      """
      SELECT coalesce(address.recipient_id, ltrim(booking.customer_phone, '+'))
      FROM messaging.message AS message JOIN bookings.booking ON booking.id = message.booking_id
      LEFT JOIN messaging.recipient AS address ON address.business_id = message.business_id
        AND address.number = ltrim(booking.customer_phone, '+')
      WHERE message.id = \(message) AND NOT message.uses_alternate_number AND message.expires_at > now()
      """
    ).first
    guard let row, PhoneNumber.alternateNumber(of: try row.decode(0)) != nil else { return nil }
    return try await transaction.query(
      """
      INSERT INTO messaging.message
        (id, business_id, booking_id, notice, cause_id, phone_number_id, subject, expires_at, uses_alternate_number)
      SELECT \(id), business_id, booking_id, notification, id, phone_number_id, subject, expires_at, true
      FROM messaging.message WHERE id = \(message)
      ON CONFLICT DO NOTHING RETURNING phone_number_id
      """
    ).first.map { try $0.decode(0) }
  }

  /// Ends messages that are still open an hour after their time is over: their jobs have long been done, discarded or
  /// dead, and nothing stays open for ever.
  ///
  /// - Returns: what was ended, and as what.
  package func expireOverdue(
    limit: Int, in transaction: PostgresTransaction
  ) async throws -> [(business: UUID, state: MessageState)] {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = CASE WHEN state = 'prepared' THEN 'expired' ELSE 'unknown' END, attempt_id = NULL,
        updated_at = clock_timestamp()
      WHERE id IN (
        SELECT id FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt')
          AND expires_at < now() - interval '1 hour' ORDER BY id LIMIT \(limit) FOR UPDATE SKIP LOCKED)
      RETURNING business_id, state
      """
    ).compactMap { row in
      guard let state = MessageState(rawValue: try row.decode(1)) else { return nil }
      return (try row.decode(0), state)
    }
  }

  /// Remembers the id the provider has for a number.
  package func storeRecipientID(
    _ recipientID: String, for number: String, of business: UUID, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      INSERT INTO messaging.recipient (business_id, number, recipient_id) VALUES (\(business), \(number), \(recipientID))
      ON CONFLICT (business_id, number) DO UPDATE SET recipient_id = excluded.recipient_id, updated_at = clock_timestamp()
      """)
  }

  /// Forgets that id: it leads nowhere.
  package func deleteRecipientID(of number: String, of business: UUID, in transaction: PostgresTransaction) async throws
  {
    try await transaction.query(
      "DELETE FROM messaging.recipient WHERE business_id = \(business) AND number = \(number)")
  }

  /// Gives a business a number to write from, or replaces it: used by set-up and demos.
  package func put(
    number: String, of business: UUID, account: String?, display: String?, in pool: PostgresConnectionPool
  ) async throws {
    try await pool.query(
      """
      INSERT INTO messaging.phone_number AS number (phone_number_id, business_id, account_id, display_number)
      VALUES (\(number), \(business), \(account), \(display))
      ON CONFLICT (business_id) DO UPDATE SET phone_number_id = excluded.phone_number_id,
        account_id = coalesce(excluded.account_id, number.account_id),
        display_number = coalesce(excluded.display_number, number.display_number)
      """)
  }
}
