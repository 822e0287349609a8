import BookingCalendar
import Foundation
import Jobs

/// The requests of the demo's customers, and what each must lead to. One seed gives one order of requests.
struct DemoScenario: Sendable {
  /// What a request must lead to.
  enum Expectation: Sendable, Equatable {
    /// The only request for its slot.
    case confirmed
    /// One of several requests for a slot: exactly one is confirmed, the others are rejected as taken.
    case race(Int)
    case rejected(RejectionReason)
    /// Refused by the HTTP server with one of these statuses.
    case refused([Int])
  }

  /// One request of a customer.
  struct BookingRequest: Sendable {
    var body: String
    var idempotencyKey: String?
    var expectation: Expectation
    /// How often it is sent again with the same key; each answer must name the same booking.
    var repeats = 0
    /// Cancelled by the customer once it is confirmed.
    var willCancel = false
    /// The button that the customer presses in the message that confirms it, where one arrives.
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
    // Every request has a key, so that it can be repeated where no answer came.
    for index in bookingRequests.indices where bookingRequests[index].idempotencyKey == nil {
      bookingRequests[index].idempotencyKey = "\(UUID.version4())"
    }
    var generator = SplitMix64(state: seed)
    bookingRequests.shuffle(using: &generator)
  }

  /// An instant of the demo's week, in the clinic's time zone.
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

  /// 100 customers who each want another slot; later 20 of them cancel, 10 move to the next half hour, 10 cancel with
  /// the button of the confirming message, and 40 confirm with it that they will come.
  private mutating func addSingles() {
    for index in 0..<100 {
      let (professional, slot) = (index % 3, index / 3)
      let startsAt = at(day: slot / 9, hour: [8, 9, 10, 11, 13, 14, 15, 16, 17][slot % 9])
      var request = BookingRequest(body: body(professional, startsAt), expectation: .confirmed)
      if index % 5 == 0 {
        request.willCancel = true
      } else if index % 10 == 1 {
        request.rescheduledTo = startsAt + 1_800
      } else if index % 10 == 2 {
        request.press = .cancel
      } else if index % 5 > 2 {
        request.press = .confirm
      }
      bookingRequests.append(request)
    }
  }

  /// 20 slots, each wanted by five customers.
  private mutating func addRaces() {
    for race in 0..<20 {
      let startsAt = at(day: race / 5, hour: [8, 9, 10, 13, 14][race % 5], minute: 30)
      for _ in 0..<5 { bookingRequests.append(BookingRequest(body: body(3, startsAt), expectation: .race(race))) }
    }
  }

  /// Well-formed requests that the rules reject.
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

  /// Ten customers send a request two or three times with one key: one booking each. Five send the same request with
  /// two keys: two bookings for one slot, of which one must be confirmed and the other rejected.
  private mutating func addRepeats() {
    for index in 0..<10 {
      var request = BookingRequest(body: body(4, at(day: index / 5, hour: 13 + index % 5)), expectation: .confirmed)
      request.idempotencyKey = "demo-\(index)-\(UUID.version4())"
      request.repeats = 1 + index % 2
      bookingRequests.append(request)
    }
    for index in 0..<5 {
      let twice = body(5, at(day: index, hour: 9))
      for _ in 0..<2 { bookingRequests.append(BookingRequest(body: twice, expectation: .race(100 + index))) }
    }
  }

  /// Requests that the HTTP server must refuse.
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
