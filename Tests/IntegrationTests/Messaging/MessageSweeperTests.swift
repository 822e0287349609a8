import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsAppSandbox

extension MessagingTests {
  /// Expired messages whose job is gone.
  struct MessageSweeperTests {
    @Test func `a worker that starts ends messages that expired long ago, and counts them`() async throws {
      var setup = Platform.Setup()
      setup.sandbox = .quick
      try await Platform.with(setup) { platform in
        let sandbox = try #require(platform.sandbox)
        let (_, address) = try await platform.startIngest()
        // The pool that sends is not run, as if its jobs were gone.
        let pools = [platform.validatePool, platform.resolvePool, platform.rollupPool]
        let first = try await platform.startWorker(pools: pools)
        var bookings: [UUID] = []
        for index in 0..<4 { bookings.append(try await platform.newBooking(index, at: address)) }
        for booking in bookings { try await platform.waitForMessage("confirmed", state: "prepared", about: booking) }
        first.send(SIGTERM)
        try await first.ended()
        for (booking, state) in zip(bookings, ["prepared", "in_doubt", "sending"]) {
          try await platform.pool.query(
            """
            UPDATE messaging.message SET state = \(state), expires_at = now() - interval '2 hours'
            WHERE booking_id = \(booking)
            """)
        }
        // A worker may still be sending this one.
        try await platform.pool.query(
          """
          UPDATE messaging.message SET expires_at = now() - interval '30 minutes' WHERE booking_id = \(bookings[3])
          """)
        try await platform.startWorker(pools: pools)
        for (booking, end) in zip(bookings, ["expired", "unknown", "unknown", "prepared"]) {
          try await platform.waitForMessage("confirmed", state: end, about: booking)
        }
        try await eventually(within: .seconds(20), "they are counted, once each") {
          let (expired, unknown) = (try await count(of: "expired", platform), try await count(of: "unknown", platform))
          return expired == 1 && unknown == 2
        }
        // Where their jobs run after all, they send nothing.
        try await platform.startWorker(pools: [platform.sendPool])
        try await eventually(within: .seconds(20), "the jobs are cancelled") {
          try await platform.number(
            """
            SELECT count(*) FROM jobs.receipt WHERE kind = 'whatsapp.send_template' AND outcome = 'cancelled'
            """) == 4
        }
        #expect(try await sandbox.messages().isEmpty)
        #expect(try await platform.messages(of: bookings[3]) == ["confirmed": "expired"])
        try await eventually("the last one is counted as well") { try await count(of: "expired", platform) == 2 }
      }
    }

    /// How many messages were counted as ended in this way, for the business.
    private func count(of end: String, _ platform: Platform) async throws -> Int {
      try await platform.number(
        """
        SELECT coalesce(sum(count), 0)::bigint FROM reports.rollup_day
        WHERE business_id = \(platform.business) AND metric = 'message.not_sent' AND detail = \(end)
        """)
    }
  }
}
