package import Foundation
package import Postgres
internal import WhatsApp

/// A message that this attempt may send now.
package struct SendingStart: Sendable {
  /// The provider's id of the customer's number; nil: none is known yet.
  package let recipientID: String?
}

extension MessageStore {
  /// A message with what its sending depends on, in one round trip; nil: there is no such message.
  package func find(_ id: UUID, in transaction: PostgresTransaction) async throws -> OutgoingMessage? {
    let results = try await transaction.run([
      """
      SELECT message.id, message.business_id, message.booking_id, message.notification, message.state, message.attempt_id,
        message.sending_at, message.resend_count, message.error_code, message.error_repeats,
        message.uses_alternate_number, message.expires_at, message.phone_number_id,
        coalesce(number.account_id, reported.account_id, message.phone_number_id) AS account,
        message.subject::text AS subject,
        least(
          (SELECT received_at FROM messaging.status_report AS report
           WHERE report.phone_number_id = message.phone_number_id AND report.occurred_at > message.sending_at
           ORDER BY report.occurred_at LIMIT 1),
          (SELECT received_at FROM messaging.inbound_message AS inbound
           WHERE inbound.phone_number_id = message.phone_number_id AND inbound.occurred_at > message.sending_at
           ORDER BY inbound.occurred_at LIMIT 1)) AS webhooks_since,
        clock_timestamp() AS read_at
      FROM messaging.message AS message
      LEFT JOIN messaging.phone_number AS number ON number.phone_number_id = message.phone_number_id
      LEFT JOIN messaging.phone_number_account AS reported ON reported.phone_number_id = message.phone_number_id
      WHERE message.id = \(id)
      """,
      """
      SELECT suspension.scope, suspension.key, suspension.until, suspension.error_code
      FROM messaging.message AS message
      LEFT JOIN messaging.phone_number AS number ON number.phone_number_id = message.phone_number_id
      LEFT JOIN messaging.phone_number_account AS reported ON reported.phone_number_id = message.phone_number_id
      CROSS JOIN LATERAL (
        SELECT coalesce(number.account_id, reported.account_id, message.phone_number_id) AS id) AS account
      JOIN messaging.suspension ON (suspension.scope = 'number' AND suspension.key = message.phone_number_id)
        OR (suspension.scope = 'account' AND suspension.key = account.id)
        OR (suspension.scope = 'template' AND starts_with(suspension.key, account.id || '|'))
      WHERE message.id = \(id)
      """,
    ])
    guard let row = results[0].first else { return nil }
    let suspensions = try results[1].map { row in
      Suspension(
        scope: try row.decode("scope"), key: try row.decode("key"), until: try row.decode("until"),
        code: try row.decode("error_code"))
    }
    return try OutgoingMessage(row, suspensions: suspensions)
  }

  /// Moves a message from `prepared` to `sending`; nil: another attempt may send it, or it has ended.
  ///
  /// - Parameter attempt: distinguishes this attempt from all others.
  /// - Parameter job: the job of the attempt, for the message's timeline.
  /// - Parameter customerNumber: the customer's number as digits.
  package func beginSending(
    _ id: UUID, attempt: UUID, job: UUID, customerNumber: String, in transaction: PostgresTransaction
  ) async throws -> SendingStart? {
    try await transaction.query(
      """
      UPDATE messaging.message AS message SET state = 'sending', attempt_id = \(attempt), job_id = \(job),
        sending_at = clock_timestamp(), send_count = send_count + 1, updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'prepared'
      RETURNING (SELECT recipient_id FROM messaging.recipient
                 WHERE recipient.business_id = message.business_id AND recipient.number = \(customerNumber))
      """
    ).first.map { SendingStart(recipientID: try $0.decodeIfPresent(0)) }
  }

  /// Takes a message back that an attempt was to send and has not handed to WhatsApp, and never will: it is `prepared`
  /// again, as if that attempt had not been. False: it has ended, or another attempt has it.
  package func takeBack(_ id: UUID, from attempt: UUID, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'prepared', attempt_id = NULL, send_count = send_count - 1,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state IN ('sending', 'in_doubt') AND attempt_id = \(attempt)
      """
    ).affectedRows == 1
  }

  /// Stores that WhatsApp has accepted a message; true for the first caller.
  package func markAccepted(_ id: UUID, wamid: String, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'accepted', wamid = \(wamid), error_code = NULL, error_repeats = 0,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state <> 'accepted'
      """
    ).affectedRows == 1
  }

  /// Lets a message be sent again that was certainly not accepted.
  ///
  /// - Parameter code: of the refusal; nil: nothing reached WhatsApp.
  /// - Parameter alternateNumber: true: the next attempt uses the alternate number.
  package func returnToPrepared(
    _ id: UUID, attempt: UUID, code: Int?, alternateNumber: Bool = false, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'prepared', attempt_id = NULL, error_code = \(code),
        error_repeats = CASE WHEN error_code IS NOT DISTINCT FROM \(code)::int THEN error_repeats + 1 ELSE 1 END,
        uses_alternate_number = uses_alternate_number OR \(alternateNumber), updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'sending' AND attempt_id = \(attempt)
      """)
  }

  /// Ends a message without sending it (again); false: it was not in one of the states any more.
  package func finish(
    _ id: UUID, as state: MessageState, from states: [MessageState], code: Int?, in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = \(state.rawValue), error_code = coalesce(\(code)::int, error_code),
        attempt_id = NULL, updated_at = clock_timestamp()
      WHERE id = \(id) AND state = ANY(\(states.map(\.rawValue))::text[])
      """
    ).affectedRows == 1
  }

  /// For a message of which it is unknown whether it was accepted. The attempt stays in the row: should it turn out
  /// that it has sent nothing, it takes the message back.
  ///
  /// - Parameter attempt: only while this one is sending it; nil: whichever is.
  package func markInDoubt(_ id: UUID, attempt: UUID? = nil, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'in_doubt', updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'sending' AND attempt_id = coalesce(\(attempt)::uuid, attempt_id)
      """)
  }

  /// Lets a message in doubt be sent again; true for the first caller.
  package func prepareResend(_ id: UUID, in transaction: PostgresTransaction) async throws -> Bool {
    try await transaction.query(
      """
      UPDATE messaging.message SET state = 'prepared', attempt_id = NULL, resend_count = resend_count + 1,
        updated_at = clock_timestamp()
      WHERE id = \(id) AND state = 'in_doubt'
      """
    ).affectedRows == 1
  }
}
