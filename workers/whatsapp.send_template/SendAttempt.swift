internal import Foundation
internal import Messaging
internal import WhatsApp

/// A message that this attempt sends, with what the call needs. Personal data.
struct SendAttempt: Sendable {
  let id: UUID
  /// Not later than the message was marked as being sent.
  let startedAt: ContinuousClock.Instant
  let message: OutgoingMessage
  let content: TemplateContent
  /// As digits.
  let customerNumber: String
  /// WhatsApp's id for the customer's number; nil: none is known yet.
  let recipientID: String?

  /// The number to send to.
  var number: String {
    let known = recipientID ?? customerNumber
    return message.usesAlternateNumber ? PhoneNumber.alternateNumber(of: known) ?? known : known
  }
}
