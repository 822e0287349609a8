import BookingCalendar
import Foundation

/// What the customers were answered, and whether it is what they were promised.
struct DemoResults: Sendable {
  /// A booking some customer got a 202 for.
  struct Accepted: Sendable {
    let ask: DemoScenario.BookingRequest
    let id: UUID
    var isCancelled = false
    var isMoved = false
    /// Confirmed or cancelled by pressing a button on the telephone.
    var pressedButton: ButtonPress?
    var final: DemoClient.View?
  }

  /// A button of a message.
  enum ButtonPress: Sendable { case confirm, cancel }

  private(set) var accepted: [UUID: Accepted] = [:]
  private(set) var refused: [Int: Int] = [:]
  private(set) var requests = 0
  private(set) var repeats = 0
  /// Requests that were answered 503, or not at all, and sent again.
  private(set) var unanswered = 0
  private(set) var violations: [String] = []

  var acceptedCount: Int { accepted.count }

  mutating func record(_ ask: DemoScenario.BookingRequest, _ answers: [(status: Int, id: UUID?, unanswered: Int)]) {
    requests += answers.count
    repeats += answers.count - 1
    unanswered += answers.map(\.unanswered).reduce(0, +)
    let ids = Set(answers.compactMap(\.id))
    for answer in answers where answer.status != 202 { refused[answer.status, default: 0] += 1 }
    if case .refused(let statuses) = ask.expectation {
      if answers.contains(where: { !statuses.contains($0.status) }) {
        violations.append("a malformed request was answered \(answers.map(\.status)), not one of \(statuses)")
      }
    } else if answers.contains(where: { $0.status != 202 }) {
      violations.append("a good request was answered \(answers.map(\.status))")
    }
    if ids.count > 1 { violations.append("repeats with one key gave \(ids.count) bookings") }
    for id in ids { accepted[id] = Accepted(ask: ask, id: id) }
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
  var ends: [String: Int] {
    accepted.values.reduce(into: [:]) { ends, booking in ends[Self.end(booking.final), default: 0] += 1 }
  }

  /// Bookings that were confirmed at one time: only those are ever cancelled here.
  var confirmedCount: Int { (ends["confirmed"] ?? 0) + (ends["cancelled"] ?? 0) }
  var movedCount: Int { accepted.values.filter { $0.final?.last_change?.outcome == "applied" }.count }
  var attendanceCount: Int { accepted.values.filter { $0.final?.customer_confirmed_at != nil }.count }

  static func end(_ view: DemoClient.View?) -> String {
    guard let view else { return "unknown" }
    guard view.status == "rejected" else { return view.status }
    return "rejected: " + (view.reasons ?? []).sorted().joined(separator: "+")
  }

  /// Holds every answer against what was promised.
  mutating func verify() {
    var races: [Int: [String]] = [:]
    for booking in accepted.values {
      let end = Self.end(booking.final)
      switch booking.ask.expectation {
      case .confirmed:
        let wanted = booking.isCancelled ? "cancelled" : "confirmed"
        if end != wanted { violations.append("a booking nobody else wanted ended \(end), not \(wanted)") }
        if booking.isMoved, booking.final?.last_change?.outcome != "applied" {
          violations.append("a move was not applied")
        }
        if booking.pressedButton == .confirm, booking.final?.customer_confirmed_at == nil {
          violations.append("a customer's word that they will come was not noted")
        }
      case .race(let race): races[race, default: []].append(end)
      case .rejected(let reason):
        if end != "rejected: \(reason.rawValue)" {
          violations.append("a request that is \(reason.rawValue) ended \(end)")
        }
      case .refused: violations.append("a malformed request became a booking")
      }
    }
    for (race, ends) in races.sorted(by: { $0.key < $1.key }) {
      let losers = ends.filter { $0 == "rejected: slot_taken" }.count
      if ends.filter({ $0 == "confirmed" }).count != 1 || losers != ends.count - 1 {
        violations.append("race \(race) ended \(ends.sorted())")
      }
    }
  }
}
