import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// `vluma trace`: a thing's story, by whichever of its ids.
  struct TraceCommandTests {
    private struct Entry: Decodable {
      let at: Date
      let what: String
      let detail: String
      let job: String?
    }

    /// Traces an id; whatever is told holds nobody's name or number, and no wamid, for WhatsApp's own hold the number.
    private func trace(_ id: String, _ platform: Platform) async throws -> String {
      let (status, output) = try await platform.command("trace", id)
      #expect(status == 0, "\(id): \(output)")
      for secret in ["Maria", "87654321", "wamid."] {
        #expect(!output.contains(secret), "\(id): \(output)")
      }
      return output
    }

    @Test func `the whole story is told by the id of the booking, the message, or either wamid`() async throws {
      try await withMessaging { platform, sandbox, address in
        let booking = try await platform.newBooking(0, at: address)
        try await platform.wait(for: "accepted", of: "confirmed", about: booking)
        let wamid = try #require(try await sandbox.messages().first?.wamid)
        try await sandbox.press("confirm:\(booking)", from: Platform.customer, context: wamid)
        try await eventually("the customer's word is noted") {
          try await platform.isAttendanceConfirmed(of: booking)
        }
        try await platform.waitUntilIdle()
        let ids = try await platform.pool.query(
          "SELECT message.id::text, inbound_message.wamid FROM messaging.message, whatsapp.inbound")
        try #require(ids.count == 1)
        let (message, reply) = (try ids[0].decode(0, as: String.self), try ids[0].decode(1, as: String.self))
        for id in [booking.uuidString, message, wamid, reply] {
          let story = try await trace(id, platform)
          for step in [
            "booking validating", "booking confirmed", "message prepared", "message given to WhatsApp",
            "message accepted", "WhatsApp says delivered", "customer answers", "booking attendance_confirmed",
          ] {
            #expect(story.contains(step), "\(id) without \(step): \(story)")
          }
        }
        try await everyJobIsTraced(platform)
        try await storyIsInOrder(booking, platform)
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
        let story = try await trace(job, platform)
        #expect(story.contains("job \(job)") && story.contains("\(kind) in "), "\(kind): \(story)")
      }
    }

    private func storyIsInOrder(_ booking: UUID, _ platform: Platform) async throws {
      let (status, output) = try await platform.command("trace", "\(booking)", "--json")
      #expect(status == 0)
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .iso8601
      let lines = try decoder.decode([Entry].self, from: Data(output.utf8))
      #expect(lines.count > 10)
      #expect(lines.map(\.at) == lines.map(\.at).sorted())
      #expect(lines.contains { $0.what == "booking confirmed" && $0.job != nil })
      #expect(!output.contains("wamid.") && !output.contains("87654321"))
    }

    @Test func `what nobody knows has no story, and that is a failure`() async throws {
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
