internal import BookingCalendar
internal import Bookings
internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import NIOFoundationEssentialsCompat

/// A booking as the API shows it. Who it is for is not in it: whoever asks knows, and nobody else should.
struct BookingResponse: Encodable {
  struct Slot: Encodable {
    let professional_id: String
    let starts_at: String

    init(_ alternative: Booking.Alternative) {
      professional_id = alternative.professional.uuidString.lowercased()
      starts_at = RFC3339.text(alternative.startsAt)
    }
  }

  struct Change: Encodable {
    let outcome: String
    let starts_at: String
    let reasons: [RejectionReason]
    let alternatives: [Slot]
  }

  let id: String
  let status: String
  let service_id: String
  let professional_id: String
  let starts_at: String
  let ends_at: String?
  let reasons: [RejectionReason]
  let alternatives: [Slot]
  let last_change: Change?
  /// When the customer said that they will come.
  let customer_confirmed_at: String?

  init(_ booking: Booking) {
    id = booking.id.uuidString.lowercased()
    status = booking.status.rawValue
    service_id = booking.service.uuidString.lowercased()
    professional_id = booking.professional.uuidString.lowercased()
    starts_at = RFC3339.text(booking.startsAt)
    ends_at = booking.endsAt.map { RFC3339.text($0) }
    reasons = booking.reasons
    alternatives = booking.alternatives.map(Slot.init)
    customer_confirmed_at = booking.attendanceConfirmedAt.map { RFC3339.text($0) }
    last_change = booking.lastChange.map { change in
      Change(
        outcome: change.outcome.rawValue, starts_at: RFC3339.text(change.startsAt), reasons: change.reasons,
        alternatives: change.alternatives.map(Slot.init))
    }
  }

  func response() throws -> Response { try .json(self) }
}

extension Response {
  /// A 200 with a JSON document.
  static func json(_ document: some Encodable) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: .init(data: try encoder.encode(document))))
  }
}
