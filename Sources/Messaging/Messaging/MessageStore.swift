package import Foundation
package import Postgres
internal import WhatsApp

/// Messages to customers: intents, and how far the sending of each has come.
///
/// A row is stored before anything is sent. Only the attempt that moves it from `prepared` to `sending` sends; if that
/// attempt's process dies, the status reports decide what became of the message.
package struct MessageStore: Sendable {
  private let defaultNumber: String?

  /// - Parameter defaultNumber: the id of the number for businesses without one of their own; nil: they send nothing.
  package init(defaultNumber: String? = nil) { self.defaultNumber = defaultNumber }

  /// Stores intents in one statement.
  ///
  /// - Parameter cause: the job a message follows from: the same notification of the same job is stored once.
  /// - Returns: the number that each new intent is sent from; intents of businesses without a number are not stored.
  package func prepare(
    _ messages: [(message: NewMessage, cause: UUID)], in transaction: PostgresTransaction
  ) async throws -> [UUID: String] {
    guard !messages.isEmpty else { return [:] }
    let all = messages.map(\.message)
    let rows = try await transaction.query(
      """
      INSERT INTO messaging.message
        (id, business_id, booking_id, notification, cause_id, phone_number_id, subject, expires_at)
      SELECT new.id, new.business, new.booking, new.notification, new.cause,
        coalesce(number.phone_number_id, \(defaultNumber)::text), new.subject, new.expires
      FROM unnest(\(all.map(\.id))::uuid[], \(all.map(\.business))::uuid[], \(all.map(\.booking))::uuid[],
          \(all.map(\.notification.rawValue))::text[], \(messages.map(\.cause))::uuid[],
          \(try all.map { try StoredJSON.text($0.subject) })::jsonb[], \(all.map(\.expiresAt))::timestamptz[])
        AS new (id, business, booking, notification, cause, subject, expires)
      LEFT JOIN messaging.phone_number AS number ON number.business_id = new.business
      WHERE coalesce(number.phone_number_id, \(defaultNumber)::text) IS NOT NULL
      ON CONFLICT DO NOTHING RETURNING id, phone_number_id
      """)
    var prepared: [UUID: String] = [:]
    for row in rows { prepared[try row.decode(0)] = try row.decode(1, as: String.self) }
    return prepared
  }

  /// Stores an intent for the same notification to the alternate number of a Brazilian number. A message to an
  /// alternate number gets none, nor does an expired one.
  ///
  /// - Parameter customerNumber: the customer's number as digits.
  /// - Returns: the number it is sent from; nil: nothing was stored.
  package func prepareAlternateNumber(
    of message: UUID, as id: UUID, customerNumber: String, in transaction: PostgresTransaction
  ) async throws -> String? {
    let row = try await transaction.query(
      """
      SELECT coalesce(recipient.recipient_id, \(customerNumber)::text) FROM messaging.message AS message
      LEFT JOIN messaging.recipient
        ON recipient.business_id = message.business_id AND recipient.number = \(customerNumber)
      WHERE message.id = \(message) AND NOT message.uses_alternate_number AND message.expires_at > now()
      """
    ).first
    guard let row, PhoneNumber.alternateNumber(of: try row.decode(0)) != nil else { return nil }
    return try await transaction.query(
      """
      INSERT INTO messaging.message
        (id, business_id, booking_id, notification, cause_id, phone_number_id, subject, expires_at,
         uses_alternate_number)
      SELECT \(id), business_id, booking_id, notification, id, phone_number_id, subject, expires_at, true
      FROM messaging.message WHERE id = \(message)
      ON CONFLICT DO NOTHING RETURNING phone_number_id
      """
    ).first.map { try $0.decode(0) }
  }

  /// Ends messages that are still open an hour after they expired: their jobs have ended, or are dead letters.
  package func expireOverdue(
    limit: Int, in transaction: PostgresTransaction
  ) async throws -> [(business: UUID, state: MessageState)] {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = CASE WHEN state = 'prepared' THEN 'expired' ELSE 'unknown' END,
        attempt_id = NULL, updated_at = clock_timestamp()
      WHERE id IN (
        SELECT id FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt')
          AND expires_at < now() - interval '1 hour' ORDER BY id LIMIT \(limit) FOR UPDATE SKIP LOCKED)
      RETURNING business_id, state
      """
    ).map { (try $0.decode(0), try $0.decode(1)) }
  }

  /// How many messages are not sent yet, in doubt, or of unknown end.
  package func openCounts(in pool: PostgresConnectionPool) async throws -> [MessageState: Int] {
    var counts: [MessageState: Int] = [:]
    for row in try await pool.query(
      """
      SELECT state, count(*) FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown')
      GROUP BY state
      """)
    { counts[try row.decode(0)] = try row.decode(1) }
    return counts
  }
}
