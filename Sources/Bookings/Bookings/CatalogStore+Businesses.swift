package import Foundation
package import Postgres

/// What reports show of a business.
package struct BusinessSummary: Sendable {
  package let name: String
  /// GMT if the stored zone is unknown to this system.
  package let timeZone: TimeZone
}

extension CatalogStore {
  /// The businesses with these ids; those that do not exist are missing.
  package func businesses(
    _ ids: Set<UUID>, in transaction: PostgresTransaction
  ) async throws -> [UUID: BusinessSummary] {
    ids.isEmpty ? [:] : try Self.summaries(try await transaction.query(Self.summaryQuery(ids)))
  }

  package func businesses(
    _ ids: Set<UUID>, in pool: PostgresConnectionPool, deadline: ContinuousClock.Instant? = nil
  ) async throws -> [UUID: BusinessSummary] {
    ids.isEmpty ? [:] : try Self.summaries(try await pool.query(Self.summaryQuery(ids), deadline: deadline))
  }

  /// Nil: there is no such business.
  package func timeZone(
    of business: UUID, in pool: PostgresConnectionPool, deadline: ContinuousClock.Instant? = nil
  ) async throws -> TimeZone? {
    try await businesses([business], in: pool, deadline: deadline)[business]?.timeZone
  }

  private static func summaryQuery(_ ids: Set<UUID>) -> PostgresQuery {
    "SELECT id, name, time_zone FROM bookings.business WHERE id = ANY(\(Array(ids))::uuid[])"
  }

  private static func summaries(_ rows: PostgresResult) throws -> [UUID: BusinessSummary] {
    var summaries: [UUID: BusinessSummary] = [:]
    for row in rows {
      summaries[try row.decode("id")] = BusinessSummary(
        name: try row.decode("name"), timeZone: TimeZone(identifier: try row.decode("time_zone")) ?? .gmt)
    }
    return summaries
  }
}
