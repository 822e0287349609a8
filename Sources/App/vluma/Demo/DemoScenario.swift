import BookingCalendar
import Foundation
import Jobs

/// What the demo's customers ask for, and what they must get. Made from a seed: the same seed bookingRequests the same.
struct DemoScenario: Sendable {
  /// What a request must come to.
  enum Expectation: Sendable, Equatable {
    /// The only one who wants its slot.
    case confirmed
    /// One of several who want a slot: exactly one of them is confirmed, the others are told that it is taken.
    case race(Int)
    case rejected(RejectionReason)
    /// Refused at the door with one of these statuses.
    case refused([Int])
  }

  /// One request of a customer.
  struct BookingRequest: Sendable {
    var body: String
    var idempotencyKey: String?
    var expectation: Expectation
    /// Sent again this often with the same key; every time the same booking must come back.
    var repeats = 0
    /// Given up by the customer once it is confirmed.
    var willCancel = false
    /// Answered by a button of the message that confirms it, where one arrives.
    var press: DemoResults.ButtonPress?
    /// Moved by the customer to this instant once it is confirmed.
    var rescheduledTo: Date?
  }

  private(set) var bookingRequests: [BookingRequest] = []
  private let business: DemoBusiness
  private let monday: Date
  private var customers = 0

  init(_ business: DemoBusiness, now: Date, seed: UInt64) {
    self.business = business
    monday = business.monday(now)
    addSingles()
    addRaces()
    addInvalid(now)
    addRepeats()
    addMalformed()
    // Every request has a key, so that one that was left without an answer can be repeated.
    for index in bookingRequests.indices where bookingRequests[index].idempotencyKey == nil {
      bookingRequests[index].idempotencyKey = "\(UUID.version4())"
    }
    var generator = SplitMix(state: seed)
    bookingRequests.shuffle(using: &generator)
  }

  /// An instant of the demo's week, in the clinic's time.
  private func at(day: Int, hour: Int, minute: Int = 0) -> Date {
    monday + TimeInterval(day * 86_400 + hour * 3_600 + minute * 60)
  }

  private mutating func body(_ professional: Int, _ startsAt: Date, service: UUID? = nil) -> String {
    customers += 1
    return """
      {"service_id": "\(service ?? business.consultation)", "professional_id": "\(business.professionals[professional])",
       "starts_at": "\(startsAt.formatted(.iso8601))", "customer": {"name": "Cliente \(customers)", "phone": "+55119\(80_000_000 + customers)"}}
      """
  }

  /// 100 customers who want a slot of their own; 20 of them cancel later, 10 move to the next half hour, 10 cancel by
  /// pressing a button of the message that confirms it, and 40 say so that they will come.
  private mutating func addSingles() {
    for index in 0..<100 {
      let (professional, place) = (index % 3, index / 3)
      let startsAt = at(day: place / 9, hour: [8, 9, 10, 11, 13, 14, 15, 16, 17][place % 9])
      var ask = BookingRequest(body: body(professional, startsAt), expectation: .confirmed)
      if index % 5 == 0 {
        ask.willCancel = true
      } else if index % 10 == 1 {
        ask.rescheduledTo = startsAt + 1_800
      } else if index % 10 == 2 {
        ask.press = .cancel
      } else if index % 5 > 2 {
        ask.press = .confirm
      }
      bookingRequests.append(ask)
    }
  }

  /// 20 slots that five customers each want.
  private mutating func addRaces() {
    for race in 0..<20 {
      let startsAt = at(day: race / 5, hour: [8, 9, 10, 13, 14][race % 5], minute: 30)
      for _ in 0..<5 { bookingRequests.append(BookingRequest(body: body(3, startsAt), expectation: .race(race))) }
    }
  }

  /// Requests that are well-formed and cannot be had.
  private mutating func addInvalid(_ now: Date) {
    let hour: TimeInterval = 3_600
    let cases: [(Date, RejectionReason)] = [
      (at(day: -14, hour: 9), .inThePast), (at(day: 80, hour: 9), .beyondHorizon), (at(day: 6, hour: 9), .dayOff),
      (at(day: 0, hour: 12), .duringBreak), (at(day: 0, hour: 7), .outsideWorkingHours),
      (at(day: 0, hour: 18), .outsideWorkingHours),
      (at(day: 5, hour: 13), .outsideWorkingHours), (at(day: 0, hour: 9) + hour / 4, .offGrid),
    ]
    for (startsAt, reason) in cases {
      for professional in 4...5 {
        bookingRequests.append(BookingRequest(body: body(professional, startsAt), expectation: .rejected(reason)))
      }
    }
    bookingRequests.append(
      BookingRequest(
        body: body(4, at(day: 1, hour: 9), service: UUID.version4()), expectation: .rejected(.unknownService)))
  }

  /// Customers whose network makes them send twice or thrice, and one pair who do so without a key and so race
  /// themselves.
  private mutating func addRepeats() {
    for index in 0..<10 {
      var ask = BookingRequest(body: body(4, at(day: index / 5, hour: 13 + index % 5)), expectation: .confirmed)
      ask.idempotencyKey = "demo-\(index)-\(UUID.version4())"
      ask.repeats = 1 + index % 2
      bookingRequests.append(ask)
    }
    for index in 0..<5 {
      let twice = body(5, at(day: index, hour: 9))
      for _ in 0..<2 { bookingRequests.append(BookingRequest(body: twice, expectation: .race(100 + index))) }
    }
  }

  /// Requests that must be refused at the door.
  private mutating func addMalformed() {
    let good = body(5, at(day: 0, hour: 15))
    for bad in [
      "{", "[]", "null", "\"text\"", "{\"service_id\": 5}", good.replacing("starts_at", with: "starts"),
      good.replacing("T", with: " "),
    ] {
      bookingRequests.append(BookingRequest(body: bad, expectation: .refused([400, 422])))
    }
    bookingRequests.append(BookingRequest(body: String(repeating: " ", count: 1 << 20), expectation: .refused([413])))
  }
}

/// SplitMix64: a small generator whose stream a seed fixes.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
