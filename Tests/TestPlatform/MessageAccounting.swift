import Foundation
import Postgres

/// The count of messages at the end of a test: what the platform says of them beside what the stand-in for WhatsApp saw.
package struct MessageAccounting: CustomStringConvertible {
  /// Bookings that were confirmed and have no intent, or more than one, for that.
  package var withoutOneIntent = 0
  /// Intents without a known end.
  package var open = 0
  /// Messages that WhatsApp accepted more than once.
  package var acceptedTwice = 0
  /// Messages that the platform holds for accepted and WhatsApp not, or the other way round.
  package var disagreeing = 0
  /// Counts of the rollups that differ from the rows they count.
  package var miscounted: [String] = []
  /// Messages that were accepted, for a look at whether anything happened.
  package var accepted = 0

  package var isClean: Bool {
    withoutOneIntent == 0 && open == 0 && acceptedTwice == 0 && disagreeing == 0 && miscounted.isEmpty
  }

  package var description: String {
    "\(accepted) accepted, \(withoutOneIntent) without one intent, \(open) open, \(acceptedTwice) accepted twice, "
      + "\(disagreeing) disagreeing, miscounted: \(miscounted)"
  }

  /// Counts.
  package static func count(_ platform: Platform) async throws -> MessageAccounting {
    var accounting = MessageAccounting()
    accounting.withoutOneIntent = try await platform.number(
      """
      SELECT count(*) FROM (
        SELECT DISTINCT booking_id FROM scheduling.booking_event WHERE what = 'confirmed') AS confirmed
      WHERE (SELECT count(*) FROM whatsapp.outbound AS message
             WHERE message.booking_id = confirmed.booking_id AND notice = 'confirmed'
               -- A number that is tried in its other form is another message, for which the first one is the cause.
               AND NOT EXISTS (SELECT FROM whatsapp.outbound AS first WHERE first.id = message.cause)) <> 1
      """)
    accounting.open = try await platform.number(
      "SELECT count(*) FROM whatsapp.outbound WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown')")
    var ours = Set<String>()
    for row in try await platform.pool.query("SELECT id::text FROM whatsapp.outbound WHERE state = 'accepted'") {
      ours.insert(try row.decode(0))
    }
    accounting.accepted = ours.count
    let theirs = Dictionary(
      grouping: try await platform.sandbox?.messages().filter(\.accepted) ?? [], by: { $0.callback ?? "" })
    accounting.acceptedTwice = theirs.values.filter { $0.count > 1 }.count
    accounting.disagreeing = ours.symmetricDifference(theirs.keys).count
    accounting.miscounted = try await miscounted(platform)
    return accounting
  }

  private static func miscounted(_ platform: Platform) async throws -> [String] {
    let pairs: [(measure: String, rows: PostgresQuery)] = [
      ("booking.confirmed", "SELECT count(*) FROM scheduling.booking_event WHERE what = 'confirmed'"),
      ("booking.rejected", "SELECT count(*) FROM scheduling.booking_event WHERE what = 'rejected'"),
      ("booking.cancelled", "SELECT count(*) FROM scheduling.booking_event WHERE what = 'cancelled'"),
      ("message.prepared", "SELECT count(*) FROM whatsapp.outbound"),
      ("message.accepted", "SELECT count(*) FROM whatsapp.outbound WHERE state = 'accepted'"),
      ("message.status", "SELECT count(*) FROM whatsapp.status_report"),
      ("message.received", "SELECT count(*) FROM whatsapp.inbound"),
      ("job.done", "SELECT count(*) FROM jobs.receipt WHERE kind <> 'metrics.event' AND outcome = 'done'"),
      ("job.discarded", "SELECT count(*) FROM jobs.receipt WHERE kind <> 'metrics.event' AND outcome = 'discarded'"),
    ]
    var wrong: [String] = []
    for (measure, rows) in pairs {
      let stored = try await platform.number(rows)
      for grain in ["minute", "hour", "day"] {
        let counted = try await platform.number(
          """
          SELECT coalesce(sum(count), 0)::bigint FROM reporting.rollup_\(unsafe: grain) WHERE measure = \(measure)
          """)
        if counted != stored { wrong.append("\(measure) by \(grain): \(counted) counted, \(stored) stored") }
      }
    }
    return wrong
  }
}
