package import Foundation
internal import Postgres
package import WhatsApp

/// A message with what its sending depends on, as read at ``readAt``.
package struct OutgoingMessage: Sendable {
  package let id: UUID
  package let business: UUID
  package let booking: UUID
  package let notification: NotificationKind
  package let subject: NewMessage.Subject
  package var state: MessageState
  /// The attempt that is sending it, or that left it in doubt; nil: none, or it is not known.
  package let attempt: UUID?
  /// When it was last handed to WhatsApp; nil: never.
  package let sendingAt: Date?
  /// How often the message was in doubt and sent again.
  package let resends: Int
  /// The code of the last refusal.
  package let code: Int?
  /// How often that code came in a row.
  package let repeats: Int
  /// True: it goes to the alternate number of a Brazilian number.
  package let usesAlternateNumber: Bool
  /// After this instant it is not sent.
  package let expiresAt: Date
  /// The number it is sent from.
  package let phoneNumberID: String
  /// The business account; the id of the number if no account is known.
  package let account: String
  /// The suspensions of its number and account, and of the account's templates; also those whose time is over.
  package let suspensions: [Suspension]
  /// When the first webhook came that reports something which happened at this number after the message was handed
  /// over; nil: none yet.
  package let webhooksSince: Date?
  /// By the database's clock, as all other instants here: the clock of a node may be wrong.
  package let readAt: Date
}

extension OutgoingMessage {
  /// Reads the columns of ``MessageStore/find(_:in:)``.
  init(_ row: PostgresRow, suspensions: [Suspension]) throws {
    self.init(
      id: try row.decode("id"), business: try row.decode("business_id"), booking: try row.decode("booking_id"),
      notification: try row.decode("notification"),
      subject: try StoredJSON.value(try row.decode("subject", as: String.self)), state: try row.decode("state"),
      attempt: try row.decodeIfPresent("attempt_id"),
      sendingAt: try row.decodeIfPresent("sending_at"), resends: try row.decode("resend_count"),
      code: try row.decodeIfPresent("error_code"), repeats: try row.decode("error_repeats"),
      usesAlternateNumber: try row.decode("uses_alternate_number"), expiresAt: try row.decode("expires_at"),
      phoneNumberID: try row.decode("phone_number_id"), account: try row.decode("account"), suspensions: suspensions,
      webhooksSince: try row.decodeIfPresent("webhooks_since"), readAt: try row.decode("read_at"))
  }
}
