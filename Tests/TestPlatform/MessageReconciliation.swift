import Foundation
import Postgres

/// Compares the platform's messages with those of the WhatsApp sandbox at the end of a test.
package struct MessageReconciliation: CustomStringConvertible {
  /// Confirmed bookings that do not have exactly one message about that.
  package var withoutOneIntent = 0
  /// Messages without a final state.
  package var open = 0
  /// Messages that WhatsApp accepted more than once.
  package var acceptedTwice = 0
  /// Messages that only one of both has as accepted.
  package var disagreeing = 0
  /// Rollups that differ from the rows they count.
  package var miscounted: [String] = []
  /// Accepted messages; a test may require some.
  package var accepted = 0

  package var isClean: Bool {
    withoutOneIntent == 0 && open == 0 && acceptedTwice == 0 && disagreeing == 0 && miscounted.isEmpty
  }

  package var description: String {
    "\(accepted) accepted, \(withoutOneIntent) without one intent, \(open) open, \(acceptedTwice) accepted twice, "
      + "\(disagreeing) disagreeing, miscounted: \(miscounted)"
  }

  package static func count(_ platform: Platform) async throws -> MessageReconciliation {
    var reconciliation = MessageReconciliation()
    reconciliation.withoutOneIntent = try await platform.number(
      """
      SELECT count(*) FROM (
        SELECT DISTINCT booking_id FROM bookings.booking_event WHERE type = 'confirmed') AS confirmed
      WHERE (SELECT count(*) FROM messaging.message AS message
             WHERE message.booking_id = confirmed.booking_id AND notification = 'confirmed'
               -- A message to the number's other form has the first message as its cause.
               AND NOT EXISTS (SELECT FROM messaging.message AS first WHERE first.id = message.cause_id)) <> 1
      """)
    reconciliation.open = try await platform.number(
      "SELECT count(*) FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown')")
    var ours = Set<String>()
    for row in try await platform.pool.query("SELECT id::text FROM messaging.message WHERE state = 'accepted'") {
      ours.insert(try row.decode(0))
    }
    reconciliation.accepted = ours.count
    let theirs = Dictionary(
      grouping: try await platform.sandbox?.messages().filter(\.accepted) ?? [], by: { $0.callback ?? "" })
    reconciliation.acceptedTwice = theirs.values.filter { $0.count > 1 }.count
    reconciliation.disagreeing = ours.symmetricDifference(theirs.keys).count
    reconciliation.miscounted = try await miscounted(platform)
    return reconciliation
  }

  private static func miscounted(_ platform: Platform) async throws -> [String] {
    let pairs: [(metric: String, rows: PostgresQuery)] = [
      ("booking.confirmed", "SELECT count(*) FROM bookings.booking_event WHERE type = 'confirmed'"),
      ("booking.rejected", "SELECT count(*) FROM bookings.booking_event WHERE type = 'rejected'"),
      ("booking.cancelled", "SELECT count(*) FROM bookings.booking_event WHERE type = 'cancelled'"),
      ("message.prepared", "SELECT count(*) FROM messaging.message"),
      ("message.accepted", "SELECT count(*) FROM messaging.message WHERE state = 'accepted'"),
      ("message.status", "SELECT count(*) FROM messaging.status_report"),
      ("message.received", "SELECT count(*) FROM messaging.inbound_message"),
      ("job.completed", "SELECT count(*) FROM jobs.receipt WHERE kind <> 'metrics.event' AND outcome = 'completed'"),
      ("job.cancelled", "SELECT count(*) FROM jobs.receipt WHERE kind <> 'metrics.event' AND outcome = 'cancelled'"),
    ]
    var wrong: [String] = []
    for (metric, rows) in pairs {
      let stored = try await platform.number(rows)
      for granularity in ["minute", "hour", "day"] {
        let counted = try await platform.number(
          """
          SELECT coalesce(sum(count), 0)::bigint FROM reports.rollup_\(unsafe: granularity) WHERE metric = \(metric)
          """)
        if counted != stored { wrong.append("\(metric) by \(granularity): \(counted) counted, \(stored) stored") }
      }
    }
    return wrong
  }
}
