/// A template message to one recipient.
package struct TemplateMessage: Sendable, Equatable {
  /// The id of the number it is sent from.
  package let phoneNumberID: String
  /// Whom it goes to.
  package let recipient: Recipient
  /// The template and its parameters.
  package let content: TemplateContent
  /// Comes back in every status of the message: the id of its intent. At most 512 characters.
  package let callback: String

  /// Whom a message goes to.
  package enum Recipient: Sendable, Equatable {
    /// A telephone number: digits with the country code, or the id that WhatsApp gave for it.
    case number(String)
    /// A business-scoped user id, for users who show no number.
    case user(String)
  }

  /// Puts a message together; the content is checked where it is made.
  package init(from phoneNumberID: String, to recipient: Recipient, content: TemplateContent, callback: String) {
    self.phoneNumberID = phoneNumberID
    self.recipient = recipient
    self.content = content
    self.callback = callback
  }
}

/// How WhatsApp answered a send.
package enum SendResult: Sendable, Equatable {
  /// It will be delivered, or fail, and statuses will tell which. `recipientID` is the id it has for the recipient.
  case accepted(wamid: String, recipientID: String?)
  /// It was refused.
  case refused(CloudError)
  /// The request cannot have been acted upon: it may be sent again.
  case notSent(reason: String)
  /// Whether it was accepted is unknown. It must not be sent again before that is settled.
  case inDoubt(reason: String)
}

/// The port to WhatsApp's Cloud API.
package protocol MessageSender: Sendable {
  /// Sends a message, once, and waits for the answer; cancelling makes it ``SendResult/inDoubt(reason:)`` where the
  /// request may have arrived.
  func send(_ message: TemplateMessage) async -> SendResult
}
