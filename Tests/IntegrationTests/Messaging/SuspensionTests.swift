import Foundation
import Messaging
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsApp
import WhatsAppSandbox

extension MessagingTests {
  /// What sending is suspended for, and how long.
  struct SuspensionTests {
    /// The code of the only suspension.
    private func code(_ platform: Platform) async throws -> Int {
      let rows = try await platform.pool.query("SELECT error_code FROM messaging.suspension")
      try #require(rows.count == 1)
      return try rows[0].decode(0)
    }

    @Test func `a suspension is extended by a later end, and never shortened by an earlier one`() async throws {
      try await Platform.with { platform in
        func suspend(_ code: Int, for seconds: TimeInterval, from now: Date) async throws {
          let suspension = Suspension(
            scope: .number, key: Platform.phoneNumberID, until: now + seconds, code: code)
          try await platform.pool.withTransaction { try await SuspensionStore().put(suspension, in: $0) }
        }
        let now = Date()
        try await suspend(130_429, for: 1, from: now)
        #expect(try await code(platform) == 130_429)
        try await suspend(131_048, for: 86_400, from: now)
        #expect(try await code(platform) == 131_048)
        for lesser in [130_429, 131_057, 133_016] {
          try await suspend(lesser, for: 300, from: now)
          #expect(try await code(platform) == 131_048)
        }
        let stored = try #require(try await SuspensionStore().all(in: platform.pool).first?.suspension)
        #expect(abs(stored.until.timeIntervalSince(now + 86_400)) < 0.01)
      }
    }

    @Test func `of two refusals that arrive late the longer suspension stays, whichever comes first`() async throws {
      var configuration = SandboxConfiguration.quick
      // Both messages must be sent before the first is known to have failed.
      configuration.statusDelay = Duration.seconds(3)...Duration.seconds(4)
      var setup = Platform.Setup()
      setup.sandbox = configuration
      try await withMessaging(setup) { platform, sandbox, address in
        // A day for the number, and a quarter of an hour for it.
        try await sandbox.setBehaviours("fail-later:131048", "fail-later:131037", for: Platform.customer)
        for index in 0..<2 { _ = try await platform.newBooking(index, at: address) }
        try await eventually(within: .seconds(30), "both have failed") {
          try await platform.number("SELECT count(*) FROM messaging.message WHERE delivery_status = 'failed'") == 2
        }
        #expect(try await code(platform) == 131_048)
        let long = try await platform.number(
          """
          SELECT count(*) FROM messaging.suspension WHERE scope = 'number' AND key = \(Platform.phoneNumberID)
            AND until > clock_timestamp() + interval '23 hours'
          """)
        #expect(long == 1)
      }
    }
  }
}
