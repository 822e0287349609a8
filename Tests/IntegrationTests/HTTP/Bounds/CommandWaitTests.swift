import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// Commands that wait for their booking come to an end.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct CommandWaitTests {
  @Test func `a reschedule of a booking that is never decided, and a command for none, end after a day`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let pool = platform.resolvePool
      for kind in ["booking.resolve", "booking.reschedule", "booking.cancel"] {
        #expect(try await platform.command("pause", pool, "--kind", kind).status == 0)
      }
      let leases: Date = try await platform.pool.query("SELECT max(lease_until) FROM jobs.node WHERE pools <> '{}'")[0]
        .decode(0)
      try await eventually("the worker has read the setting") {
        try await platform.number(
          "SELECT count(*) FROM jobs.node WHERE pools <> '{}' AND lease_until > \(leases + 1)") == 1
      }
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      try await platform.waitForBooking(booking, status: "validating")
      let move = "{\"starts_at\": \"\(platform.slot(1).formatted(.iso8601))\"}"
      let bookings = "\(address)/v1/bookings"
      // An id of version 8, as one made from an idempotency key: it carries no time.
      let unknown = "3f0c2a1e-8d5b-8c44-9e3a-0123456789ab"
      #expect(try await platform.request("POST", "\(bookings)/\(booking)/reschedule", body: move).status == 202)
      #expect(try await platform.request("DELETE", "\(bookings)/\(unknown)").status == 202)
      try await eventually("booking and commands are parked") {
        try await platform.number("SELECT count(*) FROM jobs.scheduled WHERE parked") == 3
      }
      // As if they had waited since yesterday.
      try await platform.pool.query(
        """
        UPDATE jobs.scheduled
        SET envelope = jsonb_set(envelope, '{enqueued_at}', to_jsonb((envelope ->> 'enqueued_at')::float8 - 90000))
        WHERE envelope ->> 'kind' <> 'booking.resolve'
        """)
      for kind in ["booking.reschedule", "booking.cancel"] {
        #expect(try await platform.command("resume", pool, "--kind", kind).status == 0)
      }
      try await eventually(within: .seconds(20), "both have ended") {
        try await platform.number(
          """
          SELECT count(*) FROM jobs.receipt
          WHERE outcome = 'cancelled' AND kind IN ('booking.reschedule', 'booking.cancel')
          """) == 2
      }
      #expect(try await platform.status(of: booking) == "validating")
    }
  }

  @Test func `of several cancellations of one booking in a batch the first counts`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      let kept = try #require(try await platform.book(1, at: address)?.booking)
      for id in [booking, kept] { try await platform.waitForBooking(id, status: "confirmed") }
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<20 {
          group.addTask { try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)").status }
        }
        for try await status in group { #expect(status == 202) }
      }
      try await platform.waitUntilIdle()
      #expect(try await platform.status(of: booking) == "cancelled")
      #expect(try await platform.status(of: kept) == "confirmed")
      #expect(try await platform.number("SELECT count(*) FROM bookings.claim") == 1)
      #expect(try await platform.number("SELECT count(*) FROM effect WHERE what = 'cancelled'") == 1)
      #expect(
        try await platform.number(
          "SELECT count(*) FROM jobs.receipt WHERE kind = 'booking.cancel' AND outcome = 'completed'") == 1)
    }
  }
}
