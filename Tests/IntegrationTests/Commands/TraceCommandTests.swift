import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// `vluma trace`: the timeline of a booking, message or job, by any of its ids.
  struct TraceCommandTests {
    private struct Entry: Decodable {
      let at: Date
      let event: String
      let detail: String
      let jobId: String?
    }

    /// Traces an id. The output must not contain a customer's name or number, nor a wamid, which contains the number.
    private func trace(_ id: String, _ platform: Platform) async throws -> String {
      let (status, output) = try await platform.command("trace", id)
      #expect(status == 0, "\(id): \(output)")
      for secret in ["Maria", "87654321", "wamid."] {
        #expect(!output.contains(secret), "\(id): \(output)")
      }
      return output
    }

    @Test func `the whole timeline is shown by the id of the booking, the message, or either wamid`() async throws {
      try await withMessaging { platform, sandbox, address in
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        let wamid = try #require(try await sandbox.messages().first?.wamid)
        try await sandbox.press("confirm:\(booking)", from: Platform.customer, context: wamid)
        try await eventually("the attendance is confirmed") {
          try await platform.isAttendanceConfirmed(of: booking)
        }
        try await platform.waitUntilIdle()
        let ids = try await platform.pool.query(
          "SELECT message.id::text, inbound_message.wamid FROM messaging.message, messaging.inbound_message")
        try #require(ids.count == 1)
        let (message, reply) = (try ids[0].decode(0, as: String.self), try ids[0].decode(1, as: String.self))
        for id in [booking.uuidString, message, wamid, reply] {
          let timeline = try await trace(id, platform)
          for step in [
            "booking validating", "booking confirmed", "message prepared", "message sending",
            "message accepted", "message delivered", "customer replied", "booking attendance_confirmed",
          ] {
            #expect(timeline.contains(step), "\(id) without \(step): \(timeline)")
          }
        }
        try await everyJobIsTraced(platform)
        try await timelineIsInOrder(booking, platform)
      }
    }

    private func everyJobIsTraced(_ platform: Platform) async throws {
      let jobs = try await platform.pool.query(
        "SELECT DISTINCT ON (kind) kind, job_id::text FROM jobs.receipt ORDER BY kind")
      let kinds = try jobs.map { try $0.decode(0, as: String.self) }
      #expect(
        kinds.sorted() == [
          "booking.confirm", "booking.resolve", "booking.validate", "metrics.event", "whatsapp.event",
          "whatsapp.send_template",
        ])
      for row in jobs {
        let (kind, job) = (try row.decode(0, as: String.self), try row.decode(1, as: String.self))
        let timeline = try await trace(job, platform)
        #expect(timeline.contains("job \(job)") && timeline.contains("\(kind) in "), "\(kind): \(timeline)")
      }
    }

    private func timelineIsInOrder(_ booking: UUID, _ platform: Platform) async throws {
      let (status, output) = try await platform.command("trace", "\(booking)", "--json")
      #expect(status == 0)
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      decoder.dateDecodingStrategy = .custom(CommandJSON.date)
      let lines = try decoder.decode([Entry].self, from: Data(output.utf8))
      #expect(lines.count > 10)
      #expect(lines.map(\.at) == lines.map(\.at).sorted())
      #expect(output.contains("\"job_id\""))
      #expect(lines.contains { $0.event == "booking confirmed" && $0.jobId != nil })
      #expect(!output.contains("wamid.") && !output.contains("87654321"))
    }

    @Test func `an unknown id has no timeline, and that is a failure`() async throws {
      try await Platform.with { platform in
        for id in ["nonsense", "wamid.nobody", UUID().uuidString] {
          let (status, output) = try await platform.command("trace", id)
          #expect(status == 1)
          #expect(output.contains("nothing is known under the id \(id)"))
        }
        #expect(try await platform.command("trace").status == 2)
      }
    }
  }
}
