package import BookingCalendar
package import Foundation
package import Postgres

extension BookingStore {
  /// Claims time for bookings in one statement.
  ///
  /// The exclusion constraint decides, also between rows of this statement and against concurrent transactions. Claims
  /// for the same professional and start are made in the given order; otherwise they are sorted, so that batches rarely
  /// deadlock.
  ///
  /// - Returns: the bookings whose claim was made.
  package func claim(
    _ claims: [(booking: Booking, blocked: TimeRange)], in transaction: PostgresTransaction
  ) async throws -> Set<UUID> {
    let rows = try await transaction.query(
      """
      INSERT INTO bookings.claim (booking_id, business_id, professional_id, blocked)
      SELECT booking, business, professional, tstzrange(starts, ends, '[)')
      FROM unnest(\(claims.map(\.booking.id))::uuid[], \(claims.map(\.booking.business))::uuid[],
                  \(claims.map(\.booking.professional))::uuid[], \(claims.map(\.blocked.start))::timestamptz[],
                  \(claims.map(\.blocked.end))::timestamptz[])
        WITH ORDINALITY AS requested (booking, business, professional, starts, ends, place)
      ORDER BY business, professional, starts, place
      ON CONFLICT DO NOTHING RETURNING booking_id
      """)
    return Set(try rows.map { try $0.decode(0, as: UUID.self) })
  }

  /// Moves a booking's claim; false: another booking has that time, and nothing has changed.
  package func moveClaim(
    of booking: Booking, to professional: UUID, _ blocked: TimeRange, in transaction: PostgresTransaction
  ) async throws -> Bool {
    do {
      return try await transaction.withSavepoint {
        try await transaction.query(
          """
          UPDATE bookings.claim SET professional_id = \(professional),
            blocked = tstzrange(\(blocked.start)::timestamptz, \(blocked.end)::timestamptz, '[)')
          WHERE booking_id = \(booking.id)
          """
        ).affectedRows == 1
      }
    } catch let error as PostgresError where error.sqlState == "23P01" {
      return false  // exclusion_violation: the time is taken
    }
  }

  package func releaseClaims(of bookings: [UUID], in transaction: PostgresTransaction) async throws {
    try await transaction.query("DELETE FROM bookings.claim WHERE booking_id = ANY(\(bookings)::uuid[])")
  }

  /// The claimed times of a professional inside a range, buffers included.
  package func busy(
    professional: UUID, of business: UUID, in range: TimeRange, except booking: UUID? = nil,
    in transaction: PostgresTransaction
  ) async throws -> [TimeRange] {
    try Self.ranges(try await transaction.query(Self.busyQuery(professional, business, range, booking)))
  }

  package func busy(
    professional: UUID, of business: UUID, in range: TimeRange, in pool: PostgresConnectionPool,
    deadline: ContinuousClock.Instant? = nil
  ) async throws -> [TimeRange] {
    try Self.ranges(try await pool.query(Self.busyQuery(professional, business, range, nil), deadline: deadline))
  }

  private static func busyQuery(
    _ professional: UUID, _ business: UUID, _ range: TimeRange, _ except: UUID?
  ) -> PostgresQuery {
    """
    SELECT lower(blocked), upper(blocked) FROM bookings.claim
    WHERE business_id = \(business) AND professional_id = \(professional)
      AND blocked && tstzrange(\(range.start)::timestamptz, \(range.end)::timestamptz, '[)')
      AND booking_id IS DISTINCT FROM \(except)::uuid
    """
  }

  private static func ranges(_ rows: PostgresResult) throws -> [TimeRange] {
    try rows.map { TimeRange(start: try $0.decode(0), end: try $0.decode(1)) }
  }
}
