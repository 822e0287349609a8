import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// Nodes whose clocks are a month wrong: the database's clock decides what is past and which command came last.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ClockSkewTests {
  @Test(arguments: [720, -720])
  func `bookings do not depend on the clocks of nodes`(hours: Int) async throws {
    let clocks = try await SkewedClocks()
    defer { clocks.remove() }
    let ingest = try clocks.environment(of: "ingest")
    let worker = try clocks.environment(of: "worker")
    try clocks.set("ingest", ahead: hours)
    try clocks.set("worker", ahead: hours)
    try await Platform.with { platform in
      let (_, wrong) = try await platform.startIngest(overriding: ingest)
      let node = try await platform.startWorker(overriding: worker)
      let booking = try #require(try await platform.book(0, at: wrong)?.booking)
      try await platform.waitForBooking(booking, status: "confirmed")
      try await reschedule(booking, to: 4, at: wrong, platform)
      // A later command to a node with the right time must come last.
      let (_, right) = try await platform.startIngest()
      try await reschedule(booking, to: 8, at: right, platform)
      // A command waits for its booking, which is still queued.
      try await cancel(platform, at: right, node)
      #expect(node.output.contains("clock differs"))
      #expect(try await platform.deadLetters().isEmpty)
    }
  }

  private func reschedule(_ booking: UUID, to slot: Int, at address: String, _ platform: Platform) async throws {
    let start = platform.slot(slot)
    let answer = try await platform.request(
      "POST", "\(address)/v1/bookings/\(booking)/reschedule",
      body: #"{"starts_at": "\#(start.formatted(.iso8601))"}"#)
    #expect(answer.status == 202)
    try await eventually(within: .seconds(20), "the booking has moved to slot \(slot)") {
      try await platform.number(
        "SELECT count(*) FROM bookings.booking WHERE id = \(booking) AND starts_at = \(start)") == 1
    }
  }

  /// Cancels a booking whose validation is still queued.
  private func cancel(_ platform: Platform, at address: String, _ node: PlatformProcess) async throws {
    let pool = platform.validatePool
    #expect(try await platform.command("pause", pool).status == 0)
    try await eventually("the pool is paused") {
      try await platform.number("SELECT max((pools -> \(pool) ->> 'local_concurrency')::bigint) FROM jobs.node") == 0
    }
    let booking = try #require(try await platform.book(12, at: address)?.booking)
    #expect(try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)").status == 202)
    try await eventually("the cancellation waits for its booking") {
      let metrics = try await platform.request("GET", "\(try await node.address())/metrics")
      return String(decoding: metrics.body, as: UTF8.self).contains(#"kind="booking.cancel",outcome="snoozed""#)
    }
    #expect(try await platform.command("resume", pool).status == 0)
    try await platform.waitForBooking(booking, status: "cancelled")
  }
}
