internal import Foundation

/// One request to send, and what the sandbox did with it.
struct MessageRecord: Sendable {
  enum Outcome: String, Sendable {
    case accepted, refused, cut, silent
  }

  /// nil: the message was not accepted.
  var wamid: String?
  /// As in the request; empty where the request names no recipient.
  let to: String
  let template: String?
  let callback: String?
  let phoneNumberID: String
  let outcome: Outcome
  /// The error's code.
  let code: Int?
  /// The status webhooks that were answered 2xx, in the order of the answers, duplicates included.
  var statuses: [MessageStatus] = []
  let at: Date
  let payloads: [String]

  /// True where statuses follow, whatever the client was answered.
  var isAccepted: Bool { wamid != nil }

  /// The record as `GET /sandbox/messages` shows it.
  var document: JSONValue {
    [
      "wamid": .optional(wamid), "to": .string(to), "template": .optional(template), "callback": .optional(callback),
      "phone_number_id": .string(phoneNumberID), "outcome": .string(outcome.rawValue), "code": .optional(code),
      "accepted": .bool(isAccepted), "statuses": .array(statuses.map { .string($0.rawValue) }),
      "at": .string(Timestamp.iso8601(at)), "payloads": .array(payloads.map { .string($0) }),
    ]
  }
}
