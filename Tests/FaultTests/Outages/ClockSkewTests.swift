import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// Nodes whose clocks are a month wrong: what is in the past, and which command came last, the database's clock says.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ClockSkewTests {
  @Test(arguments: [720, -720])
  func `customers notice nothing of nodes whose clocks are a month wrong`(hours: Int) async throws {
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
      try await platform.wait(for: "confirmed", of: booking)
      try await reschedule(booking, to: 4, at: wrong, platform)
      // What is asked of a node with the right time comes after what was asked of the other one.
      let (_, right) = try await platform.startIngest()
      try await reschedule(booking, to: 8, at: right, platform)
      // A command whose booking is still on its way waits for it.
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

  /// Cancels a booking that no worker has seen yet.
  private func cancel(_ platform: Platform, at address: String, _ node: PlatformProcess) async throws {
    let pool = platform.validatePool
    #expect(try await platform.command("pause", pool).status == 0)
    try await eventually("the pool is paused") {
      try await platform.number("SELECT max((pools -> \(pool) ->> 'localConcurrency')::bigint) FROM jobs.node") == 0
    }
    let booking = try #require(try await platform.book(12, at: address)?.booking)
    #expect(try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)").status == 202)
    try await eventually("the cancellation waits for its booking") {
      let metrics = try await platform.request("GET", "\(try await node.address())/metrics")
      return String(decoding: metrics.body, as: UTF8.self).contains(#"kind="booking.cancel",outcome="snoozed""#)
    }
    #expect(try await platform.command("resume", pool).status == 0)
    try await platform.wait(for: "cancelled", of: booking)
  }
}
