package import BookingCalendar
package import Foundation

/// A booking as it is stored.
package struct Booking: Sendable, Equatable {
  /// Where a booking stands. The raw values are part of the API, where `queued` stands before them.
  package enum Status: String, Sendable, Codable {
    /// The slot is one the business offers; nobody has claimed it for this booking yet.
    case validating
    case confirmed
    case rejected
    case cancelled
  }

  /// A free slot offered instead.
  package struct Alternative: Sendable, Equatable, Codable, Hashable {
    /// Whose slot it is: the professional asked for, or another one who offers the service.
    package let professional: UUID
    /// When the slot starts; it lasts as long as the one asked for.
    package let startsAt: Date

    /// Names a slot that was free when it was looked for; nobody keeps it.
    package init(professional: UUID, startsAt: Date) {
      self.professional = professional
      self.startsAt = startsAt
    }
  }

  /// What became of the last reschedule.
  package struct Change: Sendable, Equatable, Codable {
    /// What became of it: the booking was moved, or stayed as it was. The raw values are part of the API.
    package enum Outcome: String, Sendable, Codable { case applied, rejected }
    /// Whether the booking was moved.
    package let outcome: Outcome
    /// The start that was asked for, whatever became of it.
    package let startsAt: Date
    /// Why the booking was not moved; empty where it was.
    package let reasons: [RejectionReason]
    /// Free slots offered where somebody else had the time; empty otherwise.
    package let alternatives: [Alternative]

    /// Puts together what is stored of a reschedule; one that was applied needs neither reasons nor alternatives.
    package init(outcome: Outcome, startsAt: Date, reasons: [RejectionReason] = [], alternatives: [Alternative] = []) {
      self.outcome = outcome
      self.startsAt = startsAt
      self.reasons = reasons
      self.alternatives = alternatives
    }
  }

  /// The booking's id: fresh, or made from the client's idempotency key.
  package var id: UUID
  /// The business it is with. Of a rejected booking neither this nor service and professional need exist.
  package var business: UUID
  /// Which of the business' services is booked.
  package var service: UUID
  /// Whose time is asked for; a reschedule may change it.
  package var professional: UUID
  /// Who it is for. Personal data: never in logs.
  package var customer: Customer
  /// When it starts; the start of a slot, buffers not included.
  package var startsAt: Date
  /// Nil where the request was rejected before the service's duration was known.
  package var endsAt: Date?
  /// Where it stands; only a confirmed booking has a claim to its time.
  package var status: Status
  /// Why it was rejected; empty in any other status.
  package var reasons: [RejectionReason]
  /// Free slots offered where somebody else had the time; empty otherwise.
  package var alternatives: [Alternative]
  /// A hash of what was asked for.
  package var fingerprint: String
  /// What became of the last reschedule; nil where none was decided.
  package var lastChange: Change?
  /// The newest command that was applied to it, by the clocks of those who took the commands in.
  package var lastCommand: UUID
  /// When the customer said that they will come; nil: not yet.
  package var attendanceConfirmedAt: Date?

  /// The ``lastCommand`` of a booking that had none yet. It is not the job that made it: the first command cannot have
  /// overtaken that one, whatever the clocks say.
  package static let noCommand = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  /// Puts a booking together as it is to be stored; nothing is checked.
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

  /// What the catalog must know of to check the booking.
  package var request: CatalogStore.Request { .init(business: business, service: service, professional: professional) }
}

/// Who the booking is for. Personal data: never in logs.
package struct Customer: Sendable, Equatable, Codable {
  /// The name as the customer gave it.
  package let name: String
  /// E.164, such as `+5511987654321`.
  package let phone: String

  /// Takes both as they are; their form is checked where requests are read.
  package init(name: String, phone: String) {
    self.name = name
    self.phone = phone
  }
}
