/// A valid message.
struct SendRequest: Sendable, Equatable {
  let recipient: Recipient
  let phoneNumberID: String
  /// The sending number as the recipient sees it.
  let displayNumber: String
  /// The template's name; nil: a text.
  let template: String?
  /// `biz_opaque_callback_data`.
  let callback: String?
  /// The quick replies' payloads, in the buttons' order.
  let payloads: [String]
}

/// A valid request.
enum CheckedRequest: Sendable, Equatable {
  case markRead
  case send(SendRequest)
}
