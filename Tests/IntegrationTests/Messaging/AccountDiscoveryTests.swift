import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// Numbers whose account is known from webhooks only.
  struct AccountDiscoveryTests {
    @Test func `a number's account is learned from a webhook, and the account's templates apply to it then`()
      async throws
    {
      try await withMessaging { platform, sandbox, address in
        try await platform.pool.query("UPDATE messaging.phone_number SET account_id = NULL")
        try await sandbox.sendText("Bom dia", from: "5511999990000")
        try await eventually("the account is known") {
          try await platform.number(
            """
            SELECT count(*) FROM messaging.phone_number_account
            WHERE phone_number_id = \(Platform.phoneNumberID) AND account_id = \(ManagementWebhook.account)
            """) == 1
        }
        // The sandbox itself does not pause the template: it would accept the message.
        let pausedEvent = ManagementWebhook.template("agendamento_confirmado", "PAUSED", at: Date() - 10)
        #expect(try await platform.webhook(pausedEvent, at: address).status == 200)
        try await eventually("the template is suspended") { try await suspensions(platform) == 1 }
        let booking = try await platform.newBooking(0, at: address)
        try await eventually(within: .seconds(20), "its message is scheduled") {
          try await platform.number("SELECT count(*) FROM jobs.scheduled WHERE pool = \(platform.sendPool)") == 1
        }
        #expect(try await platform.messages(of: booking) == ["confirmed": "prepared"])
        // Another template of the account is sent.
        let rival = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("rejected", state: "accepted", about: rival)
        #expect(try await sandbox.messages().map(\.template) == ["agendamento_indisponivel"])
        let approved = ManagementWebhook.template("agendamento_confirmado", "APPROVED", at: Date())
        #expect(try await platform.webhook(approved, at: address).status == 200)
        try await eventually("the suspension is lifted") { try await suspensions(platform) == 0 }
        let other = try await platform.newBooking(5, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: other)
      }
    }

    private func suspensions(_ platform: Platform) async throws -> Int {
      let key = "\(ManagementWebhook.account)|agendamento_confirmado|pt_BR"
      return try await platform.number(
        "SELECT count(*) FROM messaging.suspension WHERE scope = 'template' AND key = \(key)")
    }
  }
}
