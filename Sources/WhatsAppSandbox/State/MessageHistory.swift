internal import Foundation
internal import Synchronization

/// What the sandbox did with one request to send.
struct MessageRecord: Sendable {
  enum Outcome: String, Sendable {
    case accepted, refused, cut, silent
  }

  /// The message's id; nil where it was not accepted.
  var wamid: String?
  /// As the request has it; empty where it names nobody.
  let to: String
  let template: String?
  let callback: String?
  let phoneNumberID: String
  let outcome: Outcome
  /// The error's code; nil where there was none.
  let code: Int?
  /// What was answered 2xx, in the order of the answers; repeated webhooks stand there repeatedly.
  var statuses: [MessageStatus] = []
  let at: Date
  let payloads: [String]

  /// True where statuses follow, whatever the client was told.
  var isAccepted: Bool { wamid != nil }

  /// The entry as `GET /sandbox/messages` shows it.
  var document: JSONValue {
    [
      "wamid": .optional(wamid), "to": .string(to), "template": .optional(template), "callback": .optional(callback),
      "phone_number_id": .string(phoneNumberID), "outcome": .string(outcome.rawValue), "code": .optional(code),
      "accepted": .bool(isAccepted), "statuses": .array(statuses.map { .string($0.rawValue) }),
      "at": .string(Timestamp.text(at)), "payloads": .array(payloads.map { .string($0) }),
    ]
  }
}

/// Points in time as text.
enum Timestamp {
  /// ISO 8601 with milliseconds, in UTC.
  static func text(_ date: Date) -> String { date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

  /// Unix seconds, as WhatsApp writes them in messages and statuses: a string.
  static func seconds(_ date: Date) -> String { String(Int(date.timeIntervalSince1970)) }
}

/// Every request to send that was decided on, in order; the last 90,000 at least.
final class MessageHistory: Sendable {
  private struct State {
    var entries: [MessageRecord] = []
    /// How many entries were evicted, so that positions stay what they are.
    var evicted = 0
    var positions: [String: Int] = [:]
  }
  private let state = Mutex(State())

  private static let max = 100_000

  func append(_ entry: MessageRecord) {
    state.withLock { state in
      if state.entries.count >= Self.max {
        let count = Self.max / 10
        for old in state.entries.prefix(count) {
          if let wamid = old.wamid { state.positions[wamid] = nil }
        }
        state.entries.removeFirst(count)
        state.evicted += count
      }
      if let wamid = entry.wamid { state.positions[wamid] = state.evicted + state.entries.count }
      state.entries.append(entry)
    }
  }

  /// A status webhook was answered 2xx.
  func answered(_ status: MessageStatus, of wamid: String) {
    state.withLock { state in
      guard let position = state.positions[wamid] else { return }
      state.entries[position - state.evicted].statuses.append(status)
    }
  }

  var entries: [MessageRecord] { state.withLock { $0.entries } }
}
