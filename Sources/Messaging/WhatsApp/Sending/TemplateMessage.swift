/// A template message to one recipient.
package struct TemplateMessage: Sendable, Equatable {
  /// The id of the number it is sent from.
  package let phoneNumberID: String
  package let recipient: Recipient
  package let content: TemplateContent
  /// Comes back in every status report of the message: the id of its intent. At most 512 characters.
  package let callback: String

  package enum Recipient: Sendable, Equatable {
    /// A telephone number: digits with the country code, or WhatsApp's id for it.
    case number(String)
    /// A business-scoped user id, for users who hide their number.
    case user(String)
  }

  package init(from phoneNumberID: String, to recipient: Recipient, content: TemplateContent, callback: String) {
    self.phoneNumberID = phoneNumberID
    self.recipient = recipient
    self.content = content
    self.callback = callback
  }
}
