import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// Account bans and their end: the webhooks arrive in any order, and carry the time of the event.
  struct AccountEventTests {
    /// Posts a webhook, and waits until it is processed.
    private func post(_ state: String, _ at: Date, _ platform: Platform, _ address: String) async throws {
      let before = try await events(platform)
      #expect(try await platform.webhook(ManagementWebhook.ban(state, at: at), at: address).status == 200)
      try await eventually("the event is stored") { try await events(platform) == before + 1 }
    }

    private func events(_ platform: Platform) async throws -> Int {
      try await platform.number("SELECT count(*) FROM messaging.provider_event")
    }

    private func suspensions(_ platform: Platform) async throws -> Int {
      try await platform.number("SELECT count(*) FROM messaging.suspension")
    }

    @Test func `the event that happened last decides, not the one that arrived last`() async throws {
      try await Platform.with { platform in
        let (_, address) = try await platform.startIngest()
        try await platform.startWorker()
        let now = Date()
        try await post("REINSTATE", now - 60, platform, address)
        try await post("DISABLE", now - 120, platform, address)
        #expect(try await suspensions(platform) == 0)
        // Banned once more, with webhooks in the order of the events.
        try await post("DISABLE", now - 30, platform, address)
        #expect(try await suspensions(platform) == 1)
        try await post("REINSTATE", now - 10, platform, address)
        #expect(try await suspensions(platform) == 0)
        try await post("DISABLE", now - 20, platform, address)
        #expect(try await suspensions(platform) == 0)
      }
    }

    @Test func `a ban and its end that arrive together leave no suspension`() async throws {
      try await Platform.with { platform in
        let (_, address) = try await platform.startIngest()
        let now = Date()
        for (state, at) in [("REINSTATE", now - 60), ("DISABLE", now - 120)] {
          #expect(try await platform.webhook(ManagementWebhook.ban(state, at: at), at: address).status == 200)
        }
        try await platform.startWorker()
        try await eventually("both events are stored") { try await events(platform) == 2 }
        #expect(try await suspensions(platform) == 0)
      }
    }

    @Test func `a ban suspends the account, and a message is tried within a quarter of an hour`() async throws {
      try await Platform.with { platform in
        let (_, address) = try await platform.startIngest()
        try await platform.startWorker()
        try await post("DISABLE", Date() - 10, platform, address)
        #expect(try await suspensions(platform) == 1)
        let right = try await platform.number(
          """
          SELECT count(*) FROM messaging.suspension WHERE scope = 'account' AND key = \(ManagementWebhook.account)
            AND until > clock_timestamp() + interval '13 minutes'
            AND until <= clock_timestamp() + interval '15 minutes'
          """)
        #expect(right == 1)
      }
    }
  }
}
