package import Foundation
package import Jobs
package import Postgres

/// What happened to bookings, step by step.
package struct BookingTimeline: TimelineSource {
  private let pool: PostgresConnectionPool

  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// The booking with this id, and the bookings that a job with this id changed.
  package func subjects(of id: String) async throws -> [UUID] {
    let uuid = UUID(uuidString: id)
    return try await pool.query(
      """
      SELECT id FROM bookings.booking WHERE id = \(uuid)::uuid
      UNION SELECT booking_id FROM bookings.booking_event WHERE job_id = \(uuid)::uuid
      """
    ).map { try $0.decode(0) }
  }

  /// The steps of the subjects that are bookings.
  package func entries(of id: String, subjects: [UUID]) async throws -> [TimelineEntry] {
    guard !subjects.isEmpty else { return [] }
    return try await pool.query(
      """
      SELECT created_at, type, detail, job_id FROM bookings.booking_event WHERE booking_id = ANY(\(subjects)::uuid[])
      """
    ).map { row in
      TimelineEntry(
        at: try row.decode("created_at"), what: "booking \(try row.decode("type", as: String.self))",
        detail: try row.decode("detail"), job: try row.decode("job_id"))
    }
  }
}
