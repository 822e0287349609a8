import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsAppSandbox

extension MessagingTests {
  /// Messages to customers, through the WhatsApp sandbox.
  struct MessageSendingTests {
    @Test func `customers get a message when a booking is confirmed, moved, not moved, and cancelled`() async throws {
      try await withMessaging { platform, sandbox, address in
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        let rival = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("rejected", state: "accepted", about: rival)
        let other = try await platform.newBooking(5, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: other)
        func move(to index: Int) async throws {
          let body = #"{"starts_at": "\#(platform.slot(index).formatted(.iso8601))"}"#
          #expect(
            try await platform.request("POST", "\(address)/v1/bookings/\(booking)/reschedule", body: body).status == 202
          )
        }
        try await move(to: 3)
        try await platform.waitForMessage("rescheduled", state: "accepted", about: booking)
        try await move(to: 5)
        try await platform.waitForMessage("not_rescheduled", state: "accepted", about: booking)
        #expect(try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)").status == 202)
        try await platform.waitForMessage("cancelled", state: "accepted", about: booking)
        try await platform.waitUntilIdle()
        let seen = try await sandbox.messages()
        #expect(
          seen.compactMap(\.template).sorted() == [
            "agendamento_cancelado", "agendamento_confirmado", "agendamento_confirmado", "agendamento_indisponivel",
            "agendamento_remarcado", "remarcacao_indisponivel",
          ])
        #expect(seen.allSatisfy { $0.accepted && $0.to == Platform.customer })
        // Every status is stored, in whatever order and however often the reports arrived.
        try await eventually("all were delivered") {
          try await platform.number(
            "SELECT count(*) FROM messaging.message WHERE delivery_status IN ('delivered', 'read')") == 6
        }
      }
    }

    @Test func `buttons pressed by the customer become jobs of the booking, and other people's do not`() async throws {
      try await withMessaging { platform, sandbox, address in
        let (stays, goes) = (
          try await platform.newBooking(0, at: address), try await platform.newBooking(1, at: address)
        )
        for booking in [stays, goes] {
          try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        }
        func context(_ booking: UUID) async throws -> String {
          try await platform.pool.query(
            "SELECT wamid FROM messaging.message WHERE booking_id = \(booking) AND notification = 'confirmed'")[0]
            .decode(
              0)
        }
        try await sandbox.press("cancel:\(stays)", from: "5511900000000", context: nil)
        try await sandbox.press("cancel:\(UUID())", from: Platform.customer, context: nil)
        // The customer's id may lack the ninth digit.
        try await sandbox.press("confirm:\(stays)", from: "551187654321", context: try await context(stays))
        try await sandbox.press("cancel:\(goes)", from: Platform.customer, context: try await context(goes))
        try await platform.waitForBooking(goes, status: "cancelled")
        try await platform.waitForMessage("cancelled", state: "accepted", about: goes)
        try await eventually("the attendance is confirmed") {
          try await platform.number(
            "SELECT count(*) FROM bookings.booking WHERE id = \(stays) AND attendance_confirmed_at IS NOT NULL") == 1
        }
        try await platform.waitUntilIdle()
        #expect(try await platform.status(of: stays) == "confirmed")
        let view = try await platform.request("GET", "\(address)/v1/bookings/\(stays)")
        #expect(String(decoding: view.body, as: UTF8.self).contains("customer_confirmed_at"))
      }
    }

    @Test(arguments: [
      ("refuse:131000", 2, "accepted"), ("refuse:2:503", 2, "accepted"),
      ("refuse:131047", 1, "refused"), ("refuse:132000", 1, "refused"), ("refuse:1", 4, "refused"),
      ("refuse:135000", 2, "refused"), ("refuse:131026", 2, "refused"), ("refuse:131050", 1, "refused"),
    ])
    func `a refusal ends as its code requires`(_ behaviour: String, _ tries: Int, _ end: String) async throws {
      try await withMessaging { platform, sandbox, address in
        if end == "accepted" {
          try await sandbox.setBehaviours(behaviour, "accept", for: Platform.customer)
        } else {
          for number in [Platform.customer, "551187654321"] { try await sandbox.setBehaviours(behaviour, for: number) }
        }
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: end, about: booking, within: .seconds(60))
        try await platform.waitUntilIdle()
        let seen = try await sandbox.messages()
        #expect(seen.count == tries, "\(seen)")
        #expect(seen.filter(\.accepted).count == (end == "accepted" ? 1 : 0))
        #expect(Set(seen.map(\.callback)).count == 1)
        #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      }
    }

    @Test func `a message without an answer is accepted by its status report and never sent twice`() async throws {
      try await withMessaging { platform, sandbox, address in
        try await sandbox.setBehaviours("cut-after", for: Platform.customer)
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "accepted", about: booking)
        try await platform.waitUntilIdle()
        #expect(try await sandbox.messages().count == 1)
        let counted = try await platform.number(
          "SELECT coalesce(sum(count), 0)::bigint FROM reports.rollup_day WHERE metric = 'message.accepted'")
        #expect(counted == 1)
      }
    }

    @Test func `a message cut off before it was read is sent again once later reports show that it was not accepted`()
      async throws
    {
      var setup = Platform.Setup()
      setup.inDoubtSeconds = 2
      try await withMessaging(setup) { platform, sandbox, address in
        try await sandbox.setBehaviours("cut-before", "accept", for: Platform.customer)
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "in_doubt", about: booking)
        try await platform.waitUntilMessagesSettle()
        #expect(try await platform.messages(of: booking)["confirmed"] == "accepted")
        try await platform.waitUntilIdle()
        #expect(try await sandbox.messages().filter(\.accepted).count == 1)
      }
    }

    @Test func `a message in doubt without any report ends by the policy, once later reports have arrived`()
      async throws
    {
      for (policy, acceptances, end) in [("resend", 2, "accepted"), ("give_up", 1, "unknown")] {
        var setup = Platform.Setup()
        setup.inDoubt = policy
        setup.inDoubtSeconds = 2
        try await withMessaging(setup) { platform, sandbox, address in
          // WhatsApp accepts it, the connection breaks, and the reports are lost: its state cannot be known.
          try await sandbox.setBehaviours("cut-after-no-status", "accept", for: Platform.customer)
          let booking = try await platform.newBooking(0, at: address)
          try await platform.waitForMessage("confirmed", state: "in_doubt", about: booking)
          // No later report shows yet that reports get through: it stays in doubt.
          try await eventually("the in-doubt wait is over") {
            try await platform.number(
              "SELECT count(*) FROM messaging.message WHERE sending_at < clock_timestamp() - interval '4 s'") == 1
          }
          #expect(try await platform.messages(of: booking)["confirmed"] == "in_doubt")
          let other = try await platform.newBooking(3, at: address)
          try await platform.waitForMessage("confirmed", state: "accepted", about: other)
          try await platform.waitForMessage("confirmed", state: end, about: booking, within: .seconds(60))
          try await platform.waitUntilIdle()
          let callback = try await platform.pool.query(
            "SELECT id::text FROM messaging.message WHERE booking_id = \(booking)")[0].decode(0, as: String.self)
          #expect(try await sandbox.messages().filter { $0.accepted && $0.callback == callback }.count == acceptances)
        }
      }
    }

    @Test func `messages of a paused template are not sent until WhatsApp approves it again`() async throws {
      try await withMessaging { platform, sandbox, address in
        try await sandbox.set(template: "agendamento_confirmado", to: "paused")
        try await eventually("the event is stored") {
          try await platform.number("SELECT count(*) FROM messaging.suspension WHERE scope = 'template'") == 1
        }
        let booking = try await platform.newBooking(0, at: address)
        try await platform.waitForMessage("confirmed", state: "prepared", about: booking)
        let rival = try await platform.newBooking(0, at: address)
        // Another template is sent.
        try await platform.waitForMessage("rejected", state: "accepted", about: rival)
        #expect(try await platform.command("whatsapp", "suspensions").output.contains("agendamento_confirmado"))
        try await sandbox.set(template: "agendamento_confirmado", to: "approved")
        try await eventually("the suspension is lifted") {
          try await platform.number("SELECT count(*) FROM messaging.suspension") == 0
        }
        #expect(try await platform.messages(of: booking)["confirmed"] == "prepared")
      }
    }

    @Test func `sends of a number keep to its rate over all nodes`() async throws {
      var setup = Platform.Setup()
      setup.rate = "5/s"
      try await withMessaging(setup) { platform, sandbox, address in
        try await platform.startWorker()
        for index in 0..<20 { _ = try await platform.newBooking(index, at: address) }
        try await eventually(within: .seconds(40), "all are sent") {
          try await platform.number("SELECT count(*) FROM messaging.message WHERE state = 'accepted'") == 20
        }
        // At most the rate and its burst in any second; a stall of the machine may push some together.
        let most = try await platform.number(
          """
          SELECT max((SELECT count(*) FROM messaging.message AS later
                      WHERE later.sending_at >= first.sending_at AND later.sending_at < first.sending_at + interval '1 s'))
          FROM messaging.message AS first
          """)
        #expect(most <= 10)
        let span = try await platform.number(
          "SELECT extract(epoch FROM max(sending_at) - min(sending_at))::bigint FROM messaging.message")
        #expect(span >= 3)
      }
    }
  }
}
