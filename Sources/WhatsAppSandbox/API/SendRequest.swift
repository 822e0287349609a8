internal import Foundation

/// A request to send as it came, before any check.
struct IncomingRequest: Sendable {
  let version: String
  let phoneNumberID: String
  let authorization: String?
  /// The body's exact bytes.
  let body: Data
  /// The body's JSON; nil where it is none.
  let document: JSONValue?

  init(version: String, phoneNumberID: String, authorization: String?, body: Data) {
    self.version = version
    self.phoneNumberID = phoneNumberID
    self.authorization = authorization
    self.body = body
    document = JSONValue(body)
  }
}

/// Whom a message is for.
struct Recipient: Sendable, Equatable {
  /// As the request has it.
  let input: String
  /// The number, digits alone; nil where the request names a business-scoped user id instead.
  let digits: String?

  /// What the recipient is known by here.
  var key: String { digits ?? input }
  /// The business-scoped user id.
  var user: String { digits.map(SandboxIDs.user) ?? input }
}

/// A message that is right in itself.
struct SendRequest: Sendable, Equatable {
  let recipient: Recipient
  let phoneNumberID: String
  /// The sending number as the recipient sees it.
  let displayNumber: String
  /// The template's name; nil for a text.
  let template: String?
  /// `biz_opaque_callback_data`.
  let callback: String?
  /// The quick replies' payloads, in the buttons' order.
  let payloads: [String]
}

/// What a request that is right in itself asks for.
enum CheckedRequest: Sendable, Equatable {
  case markRead
  case send(SendRequest)
}
