import BookingCalendar
import Foundation

/// The answers that customers got, checked against what the scenario expects.
struct DemoResults: Sendable {
  /// A booking whose request was answered 202.
  struct Accepted: Sendable {
    let request: DemoScenario.BookingRequest
    let id: UUID
    var isCancelled = false
    var isMoved = false
    /// The button that the customer pressed in the message about it.
    var pressedButton: ButtonPress?
    var final: DemoClient.View?
  }

  /// A button of a message.
  enum ButtonPress: Sendable { case confirm, cancel }

  private(set) var accepted: [UUID: Accepted] = [:]
  private(set) var refused: [Int: Int] = [:]
  private(set) var requests = 0
  private(set) var repeats = 0
  /// Requests that were answered 503 or not at all, and sent again.
  private(set) var unanswered = 0
  private(set) var violations: [String] = []

  var acceptedCount: Int { accepted.count }

  mutating func record(_ request: DemoScenario.BookingRequest, _ answers: [(status: Int, id: UUID?, unanswered: Int)]) {
    requests += answers.count
    repeats += answers.count - 1
    unanswered += answers.map(\.unanswered).reduce(0, +)
    let ids = Set(answers.compactMap(\.id))
    for answer in answers where answer.status != 202 { refused[answer.status, default: 0] += 1 }
    if case .refused(let statuses) = request.expectation {
      if answers.contains(where: { !statuses.contains($0.status) }) {
        violations.append("a malformed request was answered \(answers.map(\.status)), not one of \(statuses)")
      }
    } else if answers.contains(where: { $0.status != 202 }) {
      violations.append("a good request was answered \(answers.map(\.status))")
    }
    if ids.count > 1 { violations.append("repeats with one key gave \(ids.count) bookings") }
    for id in ids { accepted[id] = Accepted(request: request, id: id) }
  }

  mutating func recordCancellation(_ id: UUID, status: Int) {
    accepted[id]?.isCancelled = true
    if status != 202 { violations.append("a cancellation was answered \(status)") }
  }

  mutating func recordReschedule(_ id: UUID, status: Int) {
    accepted[id]?.isMoved = true
    if status != 202 { violations.append("a move was answered \(status)") }
  }

  mutating func recordButtonPress(_ id: UUID, _ press: ButtonPress) {
    accepted[id]?.pressedButton = press
    if press == .cancel { accepted[id]?.isCancelled = true }
  }

  mutating func recordFinal(_ id: UUID, _ view: DemoClient.View?) { accepted[id]?.final = view }

  /// Final states as the customers see them: `confirmed`, `cancelled`, `rejected: slot_taken` ...
  var finalStatuses: [String: Int] {
    accepted.values.reduce(into: [:]) { counts, booking in counts[Self.finalStatus(booking.final), default: 0] += 1 }
  }

  /// Bookings that were confirmed at some time: only those are cancelled in the demo.
  var confirmedCount: Int { (finalStatuses["confirmed"] ?? 0) + (finalStatuses["cancelled"] ?? 0) }
  var movedCount: Int { accepted.values.filter { $0.final?.lastChange?.outcome == "applied" }.count }
  var attendanceCount: Int { accepted.values.filter { $0.final?.customerConfirmedAt != nil }.count }

  private static func finalStatus(_ view: DemoClient.View?) -> String {
    guard let view else { return "unknown" }
    guard view.status == "rejected" else { return view.status }
    return "rejected: " + (view.reasons ?? []).sorted().joined(separator: "+")
  }

  /// Compares each booking's final status with the expectation.
  mutating func verify() {
    var races: [Int: [String]] = [:]
    for booking in accepted.values {
      let status = Self.finalStatus(booking.final)
      switch booking.request.expectation {
      case .confirmed:
        let wanted = booking.isCancelled ? "cancelled" : "confirmed"
        if status != wanted { violations.append("a booking without rivals ended \(status), not \(wanted)") }
        if booking.isMoved, booking.final?.lastChange?.outcome != "applied" {
          violations.append("a move was not applied")
        }
        if booking.pressedButton == .confirm, booking.final?.customerConfirmedAt == nil {
          violations.append("a confirmed attendance was not stored")
        }
      case .race(let race): races[race, default: []].append(status)
      case .rejected(let reason):
        if status != "rejected: \(reason.rawValue)" {
          violations.append("a request that is \(reason.rawValue) ended \(status)")
        }
      case .refused: violations.append("a malformed request became a booking")
      }
    }
    for (race, statuses) in races.sorted(by: { $0.key < $1.key }) {
      let losers = statuses.filter { $0 == "rejected: slot_taken" }.count
      if statuses.filter({ $0 == "confirmed" }).count != 1 || losers != statuses.count - 1 {
        violations.append("race \(race) ended \(statuses.sorted())")
      }
    }
  }
}
