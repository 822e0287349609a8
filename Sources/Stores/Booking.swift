public import Foundation
public import Scheduling

/// A booking as it is stored.
public struct Booking: Sendable, Equatable {
  /// Where a booking stands. The raw values are part of the API, where `queued` stands before them.
  public enum Status: String, Sendable, Codable {
    /// The slot is one the business offers; nobody has claimed it for this booking yet.
    case validating
    case confirmed
    case rejected
    case cancelled
  }

  /// A free slot offered instead.
  public struct Alternative: Sendable, Equatable, Codable, Hashable {
    public let professional: UUID
    public let startsAt: Date

    public init(professional: UUID, startsAt: Date) {
      self.professional = professional
      self.startsAt = startsAt
    }
  }

  /// What became of the last reschedule.
  public struct Change: Sendable, Equatable, Codable {
    public enum Outcome: String, Sendable, Codable { case applied, rejected }
    public let outcome: Outcome
    public let startsAt: Date
    public let reasons: [RejectionReason]
    public let alternatives: [Alternative]

    public init(outcome: Outcome, startsAt: Date, reasons: [RejectionReason] = [], alternatives: [Alternative] = []) {
      self.outcome = outcome
      self.startsAt = startsAt
      self.reasons = reasons
      self.alternatives = alternatives
    }
  }

  public var id: UUID
  public var business: UUID
  public var service: UUID
  public var professional: UUID
  public var customer: Customer
  public var startsAt: Date
  /// Nil where the request was rejected before the service's duration was known.
  public var endsAt: Date?
  public var status: Status
  public var reasons: [RejectionReason]
  public var alternatives: [Alternative]
  /// A hash of what was asked for.
  public var fingerprint: String
  public var lastChange: Change?
  /// The newest command that was applied to it.
  public var lastCommand: UUID

  public init(
    id: UUID, business: UUID, service: UUID, professional: UUID, customer: Customer, startsAt: Date, endsAt: Date?, status: Status,
    reasons: [RejectionReason] = [], alternatives: [Alternative] = [], fingerprint: String, lastChange: Change? = nil,
    lastCommand: UUID
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
  }

  /// What the catalog must know of to check the booking.
  public var request: CatalogStore.Request { .init(business: business, service: service, professional: professional) }
}

/// Who the booking is for. Personal data: never in logs.
public struct Customer: Sendable, Equatable, Codable {
  public let name: String
  /// E.164, such as `+5511987654321`.
  public let phone: String

  public init(name: String, phone: String) {
    self.name = name
    self.phone = phone
  }
}
