package import BookingCalendar
package import Foundation

/// A booking as stored.
package struct Booking: Sendable, Equatable {
  /// The raw values are part of the API, which has `queued` before them.
  package enum Status: String, Sendable, Codable {
    /// The business offers the slot; it is not claimed yet.
    case validating
    case confirmed
    case rejected
    case cancelled
  }

  /// A slot that was free when the request was decided; it is not reserved.
  package struct Alternative: Sendable, Equatable, Codable, Hashable {
    /// The requested professional, or another one who offers the service.
    package let professional: UUID
    package let startsAt: Date

    package init(professional: UUID, startsAt: Date) {
      self.professional = professional
      self.startsAt = startsAt
    }
  }

  /// The result of a reschedule.
  package struct Change: Sendable, Equatable, Codable {
    /// The raw values are part of the API.
    package enum Outcome: String, Sendable, Codable { case applied, rejected }
    package let outcome: Outcome
    /// The requested start, also if it was rejected.
    package let startsAt: Date
    /// Why it was rejected; empty otherwise.
    package let reasons: [RejectionReason]
    /// Offered if the slot was taken; empty otherwise.
    package let alternatives: [Alternative]

    package init(outcome: Outcome, startsAt: Date, reasons: [RejectionReason] = [], alternatives: [Alternative] = []) {
      self.outcome = outcome
      self.startsAt = startsAt
      self.reasons = reasons
      self.alternatives = alternatives
    }
  }

  /// New, or made from the client's idempotency key.
  package var id: UUID
  /// Of a rejected booking, business, service and professional need not exist.
  package var business: UUID
  package var service: UUID
  /// A reschedule may change it.
  package var professional: UUID
  package var customer: Customer
  /// Buffers not included.
  package var startsAt: Date
  /// Nil: rejected before the service's duration was known.
  package var endsAt: Date?
  /// Only a confirmed booking has a claim to its time.
  package var status: Status
  /// Why it was rejected; empty otherwise.
  package var reasons: [RejectionReason]
  /// Offered if the slot was taken; empty otherwise.
  package var alternatives: [Alternative]
  /// A hash of the request.
  package var fingerprint: String
  /// The result of the last reschedule; nil: none was decided.
  package var lastChange: Change?
  /// The newest command that was applied, by the time in its id.
  package var lastCommand: UUID
  /// When the customer confirmed that they will come; nil: not yet.
  package var attendanceConfirmedAt: Date?

  /// The ``lastCommand`` of a booking without commands. It is not the job that created the booking: the first command
  /// counts also if its clock was behind that job's.
  package static let noCommand = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  package init(
    id: UUID, business: UUID, service: UUID, professional: UUID, customer: Customer, startsAt: Date, endsAt: Date?,
    status: Status,
    reasons: [RejectionReason] = [], alternatives: [Alternative] = [], fingerprint: String, lastChange: Change? = nil,
    lastCommand: UUID, attendanceConfirmedAt: Date? = nil
  ) {
    self.id = id
    self.business = business
    self.service = service
    self.professional = professional
    self.customer = customer
    self.startsAt = startsAt
    self.endsAt = endsAt
    self.status = status
    self.reasons = reasons
    self.alternatives = alternatives
    self.fingerprint = fingerprint
    self.lastChange = lastChange
    self.lastCommand = lastCommand
    self.attendanceConfirmedAt = attendanceConfirmedAt
  }

  package var request: CatalogStore.Request { .init(business: business, service: service, professional: professional) }
}
