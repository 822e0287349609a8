package import BookingCalendar
package import Foundation
package import Postgres

/// Businesses, their services and professionals.
package struct CatalogStore: Sendable {
  /// Uses whatever connection its methods are given.
  package init() {}

  /// What is asked for: a professional's time for a service of a business.
  package struct Request: Sendable, Hashable {
    /// The business asked; service and professional count only where they are its own.
    package let business: UUID
    /// The service wanted.
    package let service: UUID
    /// The professional whose time is wanted; must offer the service.
    package let professional: UUID

    /// Names what is asked for; whether it exists is what ``CatalogStore/Lookup`` says.
    package init(business: UUID, service: UUID, professional: UUID) {
      self.business = business
      self.service = service
      self.professional = professional
    }
  }

  /// What the catalog says of a request.
  package enum Lookup: Sendable, Equatable {
    case calendar(BookableCalendar)
    case rejected(RejectionReason)
  }

  /// Looks the requests up, all in one statement.
  package func look(up requests: Set<Request>, in transaction: PostgresTransaction) async throws -> [Request: Lookup] {
    try Self.lookups(try await transaction.query(Self.query(requests)))
  }

  /// Looks one request up outside of a transaction.
  package func look(up request: Request, in pool: PostgresConnectionPool) async throws -> Lookup {
    try Self.lookups(try await pool.query(Self.query([request])))[request] ?? .rejected(.unknownBusiness)
  }

  private static func query(_ requests: Set<Request>) -> PostgresQuery {
    let requests = Array(requests)
    return """
      SELECT wanted.business, wanted.service, wanted.professional, business.time_zone, business.minimum_notice_seconds,
        business.horizon_seconds, business.days_off::text, service.duration_seconds, service.interval_seconds,
        service.buffer_before_seconds, service.buffer_after_seconds, professional.schedule::text,
        EXISTS (SELECT FROM bookings.professional_service AS offered
                WHERE offered.professional_id = professional.id AND offered.service_id = service.id)
      FROM unnest(\(requests.map(\.business))::uuid[], \(requests.map(\.service))::uuid[], \(requests.map(\.professional))::uuid[])
        AS wanted (business, service, professional)
      LEFT JOIN bookings.business ON business.id = wanted.business
      LEFT JOIN bookings.service ON service.id = wanted.service AND service.business_id = business.id
      LEFT JOIN bookings.professional ON professional.id = wanted.professional AND professional.business_id = business.id
      """
  }

  private static func lookups(_ rows: PostgresResult) throws -> [Request: Lookup] {
    var lookups: [Request: Lookup] = [:]
    for row in rows {
      let request = Request(business: try row.decode(0), service: try row.decode(1), professional: try row.decode(2))
      lookups[request] = try lookup(row)
    }
    return lookups
  }

  private static func lookup(_ row: PostgresRow) throws -> Lookup {
    guard let zoneName = try row.decodeIfPresent(3, as: String.self) else { return .rejected(.unknownBusiness) }
    guard let duration = try row.decodeIfPresent(7, as: Int.self) else { return .rejected(.unknownService) }
    guard let schedule = try row.decodeIfPresent(11, as: String.self) else { return .rejected(.unknownProfessional) }
    guard try row.decode(12) else { return .rejected(.serviceNotOffered) }
    guard let zone = TimeZone(identifier: zoneName) else {
      throw InvalidCatalog(reason: "a business's time zone is unknown")
    }
    let decoder = JSONDecoder()
    return .calendar(
      BookableCalendar(
        business: BusinessRules(
          timeZone: zone, minimumNotice: TimeInterval(try row.decode(4, as: Int.self)),
          horizon: TimeInterval(try row.decode(5, as: Int.self)),
          daysOff: try decoder.decode(Set<LocalDate>.self, from: Data(try row.decode(6, as: String.self).utf8))),
        service: ServiceRules(
          duration: TimeInterval(duration), interval: TimeInterval(try row.decode(8, as: Int.self)),
          bufferBefore: TimeInterval(try row.decode(9, as: Int.self)),
          bufferAfter: TimeInterval(try row.decode(10, as: Int.self))),
        schedule: try decoder.decode(Schedule.self, from: Data(schedule.utf8))))
  }

  /// The other professionals of the business who offer the service, in a stable order.
  package func professionals(
    offering service: UUID, of business: UUID, in transaction: PostgresTransaction
  ) async throws -> [UUID] {
    try await transaction.query(
      """
      SELECT professional.id FROM bookings.professional
      JOIN bookings.professional_service AS offered ON offered.professional_id = professional.id
      WHERE professional.business_id = \(business) AND offered.service_id = \(service) ORDER BY professional.name, professional.id
      """
    ).map { try $0.decode(0) }
  }

  // MARK: Writing: used by set-up and demos

  /// Adds a business, or replaces it.
  package func put(business id: UUID, name: String, rules: BusinessRules, in pool: PostgresConnectionPool) async throws
  {
    let daysOff = String(decoding: try JSONEncoder().encode(rules.daysOff.sorted()), as: UTF8.self)
    try await pool.query(
      """
      INSERT INTO bookings.business (id, name, time_zone, minimum_notice_seconds, horizon_seconds, days_off)
      VALUES (\(id), \(name), \(rules.timeZone.identifier), \(Int(rules.minimumNotice)), \(Int(rules.horizon)), \(daysOff)::jsonb)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone,
        minimum_notice_seconds = excluded.minimum_notice_seconds, horizon_seconds = excluded.horizon_seconds,
        days_off = excluded.days_off
      """)
  }

  /// Adds a service, or replaces it.
  package func put(
    service id: UUID, of business: UUID, name: String, rules: ServiceRules, in pool: PostgresConnectionPool
  ) async throws {
    try await pool.query(
      """
      INSERT INTO bookings.service
        (id, business_id, name, duration_seconds, interval_seconds, buffer_before_seconds, buffer_after_seconds)
      VALUES (\(id), \(business), \(name), \(Int(rules.duration)), \(Int(rules.interval)), \(Int(rules.bufferBefore)),
        \(Int(rules.bufferAfter)))
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, duration_seconds = excluded.duration_seconds,
        interval_seconds = excluded.interval_seconds, buffer_before_seconds = excluded.buffer_before_seconds,
        buffer_after_seconds = excluded.buffer_after_seconds
      """)
  }

  /// Adds a professional with the services offered, or replaces them.
  package func put(
    professional id: UUID, of business: UUID, name: String, schedule: Schedule, offering services: [UUID],
    in pool: PostgresConnectionPool
  ) async throws {
    let document = String(decoding: try JSONEncoder().encode(schedule), as: UTF8.self)
    try await pool.withTransaction { transaction in
      try await transaction.run([
        """
        INSERT INTO bookings.professional (id, business_id, name, schedule)
        VALUES (\(id), \(business), \(name), \(document)::jsonb)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, schedule = excluded.schedule
        """,
        "DELETE FROM bookings.professional_service WHERE professional_id = \(id)",
        "INSERT INTO bookings.professional_service SELECT \(id), unnest(\(services)::uuid[])",
      ])
    }
  }
}

/// The catalog holds something that cannot be used; nothing a customer can mend.
package struct InvalidCatalog: Error, CustomStringConvertible {
  /// What is wrong, without names of customers.
  package let reason: String

  /// The text goes into logs: no personal data.
  package init(reason: String) { self.reason = reason }

  /// A sentence that is safe to log, as long as ``reason`` is.
  package var description: String { "the catalog is broken: \(reason)" }
}
