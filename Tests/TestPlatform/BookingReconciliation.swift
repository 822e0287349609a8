package import Foundation
import Postgres

/// Compares accepted requests with stored bookings at the end of a test with faults.
package struct BookingReconciliation: Equatable, CustomStringConvertible {
  /// Accepted requests without a final status.
  package var lost = 0
  /// Bookings whose request was not answered: allowed.
  package var recovered = 0
  /// Bookings without a request.
  package var unexpected = 0
  /// Effects that happened twice, and slots that two bookings occupy.
  package var duplicated = 0

  package init() {}

  package var isClean: Bool { lost == 0 && unexpected == 0 && duplicated == 0 }

  package var description: String {
    "\(lost) lost, \(recovered) recovered, \(unexpected) unexpected, \(duplicated) duplicated"
  }

  /// - Parameter accepted: the bookings that were answered 202.
  /// - Parameter inDoubt: unique names of customers whose requests were not answered or are in doubt. All other
  ///   requests must not have become bookings.
  package static func count(
    _ platform: Platform, accepted: Set<UUID>, inDoubt: Set<String> = []
  ) async throws -> BookingReconciliation {
    var reconciliation = BookingReconciliation()
    var stored: [UUID: String] = [:]
    for row in try await platform.pool.query("SELECT id, status, customer_name FROM bookings.booking") {
      let booking: UUID = try row.decode(0)
      stored[booking] = try row.decode(1, as: String.self)
      if accepted.contains(booking) { continue }
      if inDoubt.contains(try row.decode(2)) { reconciliation.recovered += 1 } else { reconciliation.unexpected += 1 }
    }
    reconciliation.lost = accepted.filter { !["confirmed", "rejected", "cancelled"].contains(stored[$0] ?? "") }.count
    reconciliation.duplicated = try await platform.number(
      """
      SELECT (SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM effect GROUP BY booking, what) AS effects)::bigint
        + (SELECT count(*) FROM bookings.booking AS a JOIN bookings.booking AS b
           ON a.id < b.id AND a.status = 'confirmed' AND b.status = 'confirmed' AND a.professional_id = b.professional_id
           AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at))
        + (SELECT abs((SELECT count(*) FROM bookings.claim)
                      - (SELECT count(*) FROM bookings.booking WHERE status = 'confirmed')))
      """)
    return reconciliation
  }
}
