import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// An operator pauses one kind of a pool's jobs, with the real program.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct PausedKindTests {
  @Test func `a paused kind is parked while the pool's other kinds run, and runs when it is resumed`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let pool = platform.resolvePool
      let first = try #require(try await platform.book(0, at: address)?.booking)
      try await platform.waitForBooking(first, status: "confirmed")

      let paused = try await platform.command("pause", pool, "--kind", "booking.cancel")
      #expect(paused.output == "\(pool): size 2, paused kinds: booking.cancel\n")
      #expect(try await platform.command("queues").output.contains("\(pool): booking.cancel paused"))
      // A lease renewed a second later was renewed by a worker that has read the setting.
      let leases: Date = try await platform.pool.query("SELECT max(lease_until) FROM jobs.node WHERE pools <> '{}'")[0]
        .decode(0)
      try await eventually("the worker has read the setting") {
        try await platform.number(
          "SELECT count(*) FROM jobs.node WHERE pools <> '{}' AND lease_until > \(leases + 1)") == 1
      }
      let second = try #require(try await platform.book(1, at: address)?.booking)
      try await platform.waitForBooking(second, status: "confirmed")
      #expect(try await platform.request("DELETE", "\(address)/v1/bookings/\(second)").status == 202)
      try await eventually("its cancellation is parked") {
        try await platform.number("SELECT count(*) FROM jobs.scheduled WHERE parked") == 1
      }
      #expect(try await platform.status(of: second) == "confirmed")
      let resumed = try await platform.command("resume", pool, "--kind", "booking.cancel")
      #expect(resumed.output == "\(pool): size 2\n")
      try await platform.waitForBooking(second, status: "cancelled")
      let audit = try await platform.pool.query(
        "SELECT before || ' -> ' || after FROM jobs.audit WHERE target = \(pool) ORDER BY at")
      let changes = try audit.map { try $0.decode(0, as: String.self) }
      #expect(
        changes == [
          "size from queues.yaml -> size from queues.yaml, paused kinds: booking.cancel",
          "size from queues.yaml, paused kinds: booking.cancel -> size from queues.yaml",
        ])
    }
  }

  @Test func `only the pool's own kinds can be paused`() async throws {
    try await Platform.with { platform in
      let wrong = try await platform.command("pause", platform.resolvePool, "--kind", "booking.cancle")
      #expect(wrong.status == 2)
      #expect(
        wrong.output.contains("runs no jobs of kind \"booking.cancle\"") && wrong.output.contains("booking.cancel,"))
      #expect(try await platform.number("SELECT count(*) FROM jobs.pool_setting") == 0)
    }
  }
}
