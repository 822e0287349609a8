import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// Numbers that are not on WhatsApp, which it reports only after it has accepted the message.
  struct AlternateNumberTests {
    @Test(arguments: [("5511987654321", "551187654321"), ("551187654321", "5511987654321")])
    func `a Brazilian number is tried in its other form, by one more message`(_ number: String, _ other: String)
      async throws
    {
      try await withMessaging { platform, sandbox, address in
        try await sandbox.setBehaviours("fail-later:131026", for: number)
        try await sandbox.setBehaviours("accept", for: other)
        let booking = try await platform.newBooking(0, at: address, for: number)
        try await eventually(within: .seconds(20), "the message to the other form is delivered") {
          try await platform.number(
            """
            SELECT count(*) FROM messaging.message
            WHERE booking_id = \(booking) AND uses_alternate_number AND delivery_status IN ('delivered', 'read')
            """) == 1
        }
        try await platform.waitUntilIdle()
        #expect(try await sandbox.messages().map(\.to) == [number, other])
        #expect(try await failed(platform) == 1)
        try await expectClean(platform, messages: 2)
      }
    }

    @Test(arguments: [("5511987654321", "551187654321"), ("551187654321", "5511987654321")])
    func `a number that is not on WhatsApp in both forms is tried twice, and no more`(_ number: String, _ other: String)
      async throws
    {
      try await withMessaging { platform, sandbox, address in
        for form in [number, other] { try await sandbox.setBehaviours("fail-later:131026", for: form) }
        _ = try await platform.newBooking(0, at: address, for: number)
        try await eventually(within: .seconds(20), "both forms have failed") { try await failed(platform) == 2 }
        try await platform.waitUntilIdle()
        #expect(try await sandbox.messages().map(\.to) == [number, other])
        try await expectClean(platform, messages: 2)
      }
    }

    @Test func `a number without another form is not tried again`() async throws {
      try await withMessaging { platform, sandbox, address in
        let landline = "551130035678"
        try await sandbox.setBehaviours("fail-later:131026", for: landline)
        _ = try await platform.newBooking(0, at: address, for: landline)
        try await eventually(within: .seconds(20), "it has failed") { try await failed(platform) == 1 }
        try await platform.waitUntilIdle()
        #expect(try await sandbox.messages().map(\.to) == [landline])
        try await expectClean(platform, messages: 1)
      }
    }

    /// How many messages failed because the number is not on WhatsApp.
    private func failed(_ platform: Platform) async throws -> Int {
      try await platform.number(
        "SELECT count(*) FROM messaging.message WHERE delivery_status = 'failed' AND delivery_error_code = 131026")
    }

    private func expectClean(_ platform: Platform, messages: Int) async throws {
      let reconciliation = try await MessageReconciliation.count(platform)
      #expect(reconciliation.isClean, "\(reconciliation)")
      #expect(reconciliation.accepted == messages)
      #expect(try await platform.number("SELECT count(*) FROM messaging.message") == messages)
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
    }
  }
}
