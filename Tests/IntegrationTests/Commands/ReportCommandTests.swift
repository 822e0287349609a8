import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// `vluma report day`.
  struct ReportCommandTests {
    private struct Report: Decodable {
      struct Count: Decodable {
        let metric: String
        let detail: String?
        let count: Int
      }
      let businessId: String
      let name: String
      let date: String
      let timeZone: String
      let counts: [Count]

      func count(_ metric: String, _ detail: String? = nil) -> Int? {
        counts.first { $0.metric == metric && $0.detail == detail }?.count
      }
    }

    private func reports(_ output: String) throws -> [Report] {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode([Report].self, from: Data(output.utf8))
    }

    @Test func `a day's report has each business' counts, for people and for programs`() async throws {
      try await withMessaging { platform, _, address in
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        let rival = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("rejected", state: "accepted", about: rival)
        try await platform.waitUntilIdle()
        // The day is named, in case it ends before the report.
        let day: String = try await platform.pool.query(
          """
          SELECT to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD') FROM reports.rollup_day
          WHERE metric = 'booking.confirmed'
          """)[0].decode(0)
        let business = platform.business.uuidString.lowercased()
        let one = try await platform.command("report", "day", day, "--business", business, "--json")
        #expect(one.status == 0, "\(one.output)")
        #expect(one.output.contains("\"business_id\"") && one.output.contains("\"time_zone\""))
        let found = try reports(one.output)
        try #require(found.count == 1)
        #expect(found[0].businessId == business && found[0].name == "Always open")
        #expect(found[0].date == day && found[0].timeZone == "GMT")
        #expect(found[0].count("booking.confirmed") == 1)
        #expect(found[0].count("booking.rejected", "slot_taken") == 1)
        #expect(found[0].count("message.accepted", "confirmed") == 1)
        #expect(found[0].count("message.accepted", "rejected") == 1)
        let all = try await platform.command("report", "day", day, "--json")
        #expect(try reports(all.output).contains { $0.businessId == business })
        let text = try await platform.command("report", "day", day)
        #expect(text.status == 0)
        #expect(text.output.contains("METRIC") && text.output.contains("DETAIL"))
        #expect(text.output.contains("Always open  \(day) GMT") && text.output.contains("booking.confirmed"))
        #expect(!text.output.contains("Maria") && !text.output.contains("87654321"))
        #expect(try await platform.command("report", "day", "--json").status == 0)
      }
    }

    @Test func `an invalid day is wrong usage, and a day without counts is empty`() async throws {
      try await Platform.with { platform in
        for date in ["2026-02-30", "2026-13-01", "1999-12-31", "yesterday", "2026-2-3"] {
          let (status, output) = try await platform.command("report", "day", date)
          #expect(status == 2, "\(date): \(output)")
          #expect(output.contains(date))
        }
        #expect(try await platform.command("report", "day", "--business", "everybody").status == 2)
        #expect(try await platform.command("report", "day", "2024-02-29").output == "Nothing was counted.\n")
        let nothing = try await platform.command("report", "day", "2024-02-29", "--json")
        #expect(nothing.status == 0)
        #expect(try reports(nothing.output).isEmpty)
      }
    }
  }
}
