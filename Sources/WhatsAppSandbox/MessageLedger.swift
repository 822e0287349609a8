internal import Foundation
internal import Synchronization

/// What the sandbox did with one request to send.
struct LedgerEntry: Sendable {
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
final class MessageLedger: Sendable {
  private struct State {
    var entries: [LedgerEntry] = []
    /// How many entries were forgotten, so that places stay what they are.
    var forgotten = 0
    var places: [String: Int] = [:]
  }
  private let state = Mutex(State())

  private static let max = 100_000

  func append(_ entry: LedgerEntry) {
    state.withLock { state in
      if state.entries.count >= Self.max {
        let count = Self.max / 10
        for old in state.entries.prefix(count) {
          if let wamid = old.wamid { state.places[wamid] = nil }
        }
        state.entries.removeFirst(count)
        state.forgotten += count
      }
      if let wamid = entry.wamid { state.places[wamid] = state.forgotten + state.entries.count }
      state.entries.append(entry)
    }
  }

  /// A status webhook was answered 2xx.
  func answered(_ status: MessageStatus, of wamid: String) {
    state.withLock { state in
      guard let place = state.places[wamid] else { return }
      state.entries[place - state.forgotten].statuses.append(status)
    }
  }

  var entries: [LedgerEntry] { state.withLock { $0.entries } }
}
