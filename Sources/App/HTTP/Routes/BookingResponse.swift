internal import BookingCalendar
internal import Bookings
internal import Foundation

/// A booking as the API shows it, without the customer's personal data.
struct BookingResponse: Encodable {
  struct Slot: Encodable {
    let professionalID: String
    let startsAt: String

    init(_ alternative: Booking.Alternative) {
      professionalID = alternative.professional.uuidString.lowercased()
      startsAt = RFC3339.string(alternative.startsAt)
    }
  }

  struct Change: Encodable {
    let outcome: String
    let startsAt: String
    let reasons: [RejectionReason]
    let alternatives: [Slot]
  }

  let id: String
  let status: String
  let serviceID: String
  let professionalID: String
  let startsAt: String
  let endsAt: String?
  let reasons: [RejectionReason]
  let alternatives: [Slot]
  let lastChange: Change?
  /// When the customer confirmed that they will come.
  let customerConfirmedAt: String?

  init(_ booking: Booking) {
    id = booking.id.uuidString.lowercased()
    status = booking.status.rawValue
    serviceID = booking.service.uuidString.lowercased()
    professionalID = booking.professional.uuidString.lowercased()
    startsAt = RFC3339.string(booking.startsAt)
    endsAt = booking.endsAt.map { RFC3339.string($0) }
    reasons = booking.reasons
    alternatives = booking.alternatives.map(Slot.init)
    customerConfirmedAt = booking.attendanceConfirmedAt.map { RFC3339.string($0) }
    lastChange = booking.lastChange.map { change in
      Change(
        outcome: change.outcome.rawValue, startsAt: RFC3339.string(change.startsAt), reasons: change.reasons,
        alternatives: change.alternatives.map(Slot.init))
    }
  }
}

/// An accepted booking that no worker has stored yet.
struct QueuedBookingResponse: Encodable {
  let id: String
  let status = "queued"

  init(_ booking: UUID) { id = booking.uuidString.lowercased() }
}
