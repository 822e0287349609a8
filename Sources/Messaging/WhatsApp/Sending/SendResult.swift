/// How WhatsApp answered a send.
package enum SendResult: Sendable, Equatable {
  /// Status reports will tell whether it is delivered. `recipientID` is WhatsApp's id for the recipient.
  case accepted(wamid: String, recipientID: String?)
  case refused(CloudError)
  /// WhatsApp cannot have acted on the request: it may be sent again.
  case notSent(reason: String)
  /// Unknown whether it was accepted. It must not be sent again before that is decided.
  case inDoubt(reason: String)
}
