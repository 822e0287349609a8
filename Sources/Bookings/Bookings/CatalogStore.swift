package import BookingCalendar
package import Foundation
package import Postgres

/// Businesses, their services and professionals.
package struct CatalogStore: Sendable {
  package init() {}

  /// A request for a professional's time for a service of a business; none of them need exist.
  package struct Request: Sendable, Hashable {
    package let business: UUID
    package let service: UUID
    package let professional: UUID

    package init(business: UUID, service: UUID, professional: UUID) {
      self.business = business
      self.service = service
      self.professional = professional
    }
  }

  package enum Lookup: Sendable, Equatable {
    case calendar(BookableCalendar)
    case rejected(RejectionReason)
  }

  /// Looks up all requests in one statement.
  package func lookUp(_ requests: Set<Request>, in transaction: PostgresTransaction) async throws -> [Request: Lookup] {
    try Self.lookups(try await transaction.query(Self.query(requests)))
  }

  package func lookUp(
    _ request: Request, in pool: PostgresConnectionPool, deadline: ContinuousClock.Instant? = nil
  ) async throws -> Lookup {
    let rows = try await pool.query(Self.query([request]), deadline: deadline)
    return try Self.lookups(rows)[request] ?? .rejected(.unknownBusiness)
  }

  private static func query(_ requests: Set<Request>) -> PostgresQuery {
    let requests = Array(requests)
    return """
      SELECT requested.business, requested.service, requested.professional, business.time_zone,
        business.minimum_notice_seconds, business.horizon_seconds, business.days_off::text AS days_off,
        service.duration_seconds, service.interval_seconds, service.buffer_before_seconds, service.buffer_after_seconds,
        professional.schedule::text AS schedule,
        EXISTS (SELECT FROM bookings.professional_service AS offered
                WHERE offered.professional_id = professional.id AND offered.service_id = service.id) AS is_offered
      FROM unnest(\(requests.map(\.business))::uuid[], \(requests.map(\.service))::uuid[],
          \(requests.map(\.professional))::uuid[])
        AS requested (business, service, professional)
      LEFT JOIN bookings.business ON business.id = requested.business
      LEFT JOIN bookings.service ON service.id = requested.service AND service.business_id = business.id
      LEFT JOIN bookings.professional
        ON professional.id = requested.professional AND professional.business_id = business.id
      """
  }

  private static func lookups(_ rows: PostgresResult) throws -> [Request: Lookup] {
    var lookups: [Request: Lookup] = [:]
    for row in rows {
      let request = Request(
        business: try row.decode("business"), service: try row.decode("service"),
        professional: try row.decode("professional"))
      lookups[request] = try lookup(row)
    }
    return lookups
  }

  private static func lookup(_ row: PostgresRow) throws -> Lookup {
    guard let zoneName = try row.decodeIfPresent("time_zone", as: String.self) else {
      return .rejected(.unknownBusiness)
    }
    guard let duration = try row.decodeIfPresent("duration_seconds", as: Int.self) else {
      return .rejected(.unknownService)
    }
    guard let schedule = try row.decodeIfPresent("schedule", as: String.self) else {
      return .rejected(.unknownProfessional)
    }
    guard try row.decode("is_offered") else { return .rejected(.serviceNotOffered) }
    guard let zone = TimeZone(identifier: zoneName) else {
      throw InvalidCatalog(reason: "the time zone \(zoneName) of a business is unknown to this system")
    }
    let decoder = JSONDecoder()
    func seconds(_ column: String) throws -> TimeInterval { TimeInterval(try row.decode(column, as: Int.self)) }
    return .calendar(
      BookableCalendar(
        business: BusinessRules(
          timeZone: zone, minimumNotice: try seconds("minimum_notice_seconds"), horizon: try seconds("horizon_seconds"),
          daysOff: try decoder.decode(Set<LocalDate>.self, from: Data(try row.decode("days_off", as: String.self).utf8))
        ),
        service: ServiceRules(
          duration: TimeInterval(duration), interval: try seconds("interval_seconds"),
          bufferBefore: try seconds("buffer_before_seconds"), bufferAfter: try seconds("buffer_after_seconds")),
        schedule: try decoder.decode(Schedule.self, from: Data(schedule.utf8))))
  }

  /// The professionals of the business who offer the service, in a stable order.
  package func professionals(
    offering service: UUID, of business: UUID, in transaction: PostgresTransaction
  ) async throws -> [UUID] {
    try await transaction.query(
      """
      SELECT professional.id FROM bookings.professional
      JOIN bookings.professional_service AS offered ON offered.professional_id = professional.id
      WHERE professional.business_id = \(business) AND offered.service_id = \(service)
      ORDER BY professional.name, professional.id
      """
    ).map { try $0.decode(0) }
  }
}

/// The catalog contains something that cannot be used; only the business can correct it.
package struct InvalidCatalog: Error, CustomStringConvertible {
  /// Goes into logs: no personal data.
  package let reason: String

  package init(reason: String) { self.reason = reason }

  package var description: String { "the catalog is invalid: \(reason)" }
}
