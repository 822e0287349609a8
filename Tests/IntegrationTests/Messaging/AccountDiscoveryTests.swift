import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// Numbers whose account nobody has told, but webhooks.
  struct AccountDiscoveryTests {
    @Test func `a number's account is learned from a webhook, and the account's templates concern it then`()
      async throws
    {
      try await withMessaging { platform, sandbox, address in
        try await platform.pool.query("UPDATE messaging.phone_number SET account_id = NULL")
        try await sandbox.write("Bom dia", from: "5511999990000")
        try await eventually("the account is known") {
          try await platform.number(
            """
            SELECT count(*) FROM messaging.phone_number_account
            WHERE phone_number_id = \(Platform.phoneNumberID) AND account_id = \(ManagementWebhook.account)
            """) == 1
        }
        // The stand-in knows nothing of it: it would accept the message.
        let paused = ManagementWebhook.template("agendamento_confirmado", "PAUSED", at: Date() - 10)
        #expect(try await platform.webhook(paused, at: address).status == 200)
        try await eventually("the template is paused") { try await suspensions(platform) == 1 }
        let booking = try await platform.newBooking(0, at: address)
        try await eventually(within: .seconds(20), "its message is put off") {
          try await platform.number("SELECT count(*) FROM jobs.scheduled WHERE pool = \(platform.sendPool)") == 1
        }
        #expect(try await platform.messages(of: booking) == ["confirmed": "prepared"])
        // Another template of the account is not held up.
        let rival = try await platform.newBooking(0, at: address)
        try await platform.wait(for: "accepted", of: "rejected", about: rival)
        #expect(try await sandbox.messages().map(\.template) == ["agendamento_indisponivel"])
        let approved = ManagementWebhook.template("agendamento_confirmado", "APPROVED", at: Date())
        #expect(try await platform.webhook(approved, at: address).status == 200)
        try await eventually("the pause is lifted") { try await suspensions(platform) == 0 }
        let other = try await platform.newBooking(5, at: address)
        try await platform.wait(for: "accepted", of: "confirmed", about: other)
      }
    }

    private func suspensions(_ platform: Platform) async throws -> Int {
      let key = "\(ManagementWebhook.account)|agendamento_confirmado|pt_BR"
      return try await platform.number(
        "SELECT count(*) FROM messaging.suspension WHERE scope = 'template' AND key = \(key)")
    }
  }
}
