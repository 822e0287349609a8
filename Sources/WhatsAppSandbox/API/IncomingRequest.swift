internal import Foundation

/// A request to send, before any check.
struct IncomingRequest: Sendable {
  let version: String
  let phoneNumberID: String
  let authorization: String?
  /// The body's exact bytes.
  let body: Data
  /// nil: the body is not JSON.
  let document: JSONValue?

  init(version: String, phoneNumberID: String, authorization: String?, body: Data) {
    self.version = version
    self.phoneNumberID = phoneNumberID
    self.authorization = authorization
    self.body = body
    document = JSONValue(body)
  }
}
