package import BookingCalendar
package import Foundation
package import Postgres

extension CatalogStore {
  /// Adds a business, or replaces it.
  package func put(
    business id: UUID, name: String, rules: BusinessRules, in pool: PostgresConnectionPool
  ) async throws {
    let daysOff = String(decoding: try JSONEncoder().encode(rules.daysOff.sorted()), as: UTF8.self)
    try await pool.query(
      """
      INSERT INTO bookings.business (id, name, time_zone, minimum_notice_seconds, horizon_seconds, days_off)
      VALUES (\(id), \(name), \(rules.timeZone.identifier), \(Int(rules.minimumNotice)), \(Int(rules.horizon)),
        \(daysOff)::jsonb)
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
