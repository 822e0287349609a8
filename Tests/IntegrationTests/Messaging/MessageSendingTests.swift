import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsAppSandbox

/// Messages to customers, through the stand-in for WhatsApp.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct MessageSendingTests {
  private static let customer = "5511987654321"

  /// A platform with the stand-in, its front and one worker.
  private func with(
    _ setup: Platform.Setup = .init(), _ body: (Platform, SandboxHost, String) async throws -> Void
  ) async throws {
    var setup = setup
    if setup.sandbox == nil { setup.sandbox = .quick }
    try await Platform.with(setup) { platform in
      let sandbox = try #require(platform.sandbox)
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      try await body(platform, sandbox, address)
    }
  }

  private func book(_ platform: Platform, _ index: Int, _ address: String) async throws -> UUID {
    try #require(try await platform.book(index, at: address)?.booking)
  }

  @Test func `a booking's whole life is told: confirmed, moved, refused a move, cancelled`() async throws {
    try await with { platform, sandbox, address in
      let booking = try await book(platform, 0, address)
      try await platform.wait(for: "accepted", of: "confirmed", about: booking)
      let rival = try await book(platform, 0, address)
      try await platform.wait(for: "accepted", of: "rejected", about: rival)
      let other = try await book(platform, 5, address)
      try await platform.wait(for: "accepted", of: "confirmed", about: other)
      func move(to index: Int) async throws {
        let body = #"{"starts_at": "\#(platform.slot(index).formatted(.iso8601))"}"#
        #expect(
          try await platform.request("POST", "\(address)/v1/bookings/\(booking)/reschedule", body: body).status == 202)
      }
      try await move(to: 3)
      try await platform.wait(for: "accepted", of: "rescheduled", about: booking)
      try await move(to: 5)
      try await platform.wait(for: "accepted", of: "not_rescheduled", about: booking)
      #expect(try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)").status == 202)
      try await platform.wait(for: "accepted", of: "cancelled", about: booking)
      try await platform.waitUntilIdle()
      let seen = try await sandbox.messages()
      #expect(
        seen.compactMap(\.template).sorted() == [
          "agendamento_cancelado", "agendamento_confirmado", "agendamento_confirmado", "agendamento_indisponivel",
          "agendamento_remarcado", "remarcacao_indisponivel",
        ])
      #expect(seen.allSatisfy { $0.accepted && $0.to == Self.customer })
      // Every status is known, whatever order they came in and however often.
      try await eventually("all were delivered") {
        try await platform.number(
          "SELECT count(*) FROM messaging.message WHERE delivery_status IN ('delivered', 'read')") == 6
      }
    }
  }

  @Test func `customers' pressed buttons become jobs of their bookings, and strangers' do not`() async throws {
    try await with { platform, sandbox, address in
      let (stays, goes) = (try await book(platform, 0, address), try await book(platform, 1, address))
      for booking in [stays, goes] { try await platform.wait(for: "accepted", of: "confirmed", about: booking) }
      func context(_ booking: UUID) async throws -> String {
        try await platform.pool.query(
          "SELECT wamid FROM messaging.message WHERE booking_id = \(booking) AND notification = 'confirmed'")[0].decode(
            0)
      }
      try await sandbox.press("cancel:\(stays)", from: "5511900000000", context: nil)
      try await sandbox.press("cancel:\(UUID())", from: Self.customer, context: nil)
      // The customer's id may lack the ninth digit.
      try await sandbox.press("confirm:\(stays)", from: "551187654321", context: try await context(stays))
      try await sandbox.press("cancel:\(goes)", from: Self.customer, context: try await context(goes))
      try await platform.wait(for: "cancelled", of: goes)
      try await platform.wait(for: "accepted", of: "cancelled", about: goes)
      try await eventually("the customer's word is noted") {
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
  func `a refusal has the end its code means`(_ behaviour: String, _ tries: Int, _ end: String) async throws {
    try await with { platform, sandbox, address in
      if end == "accepted" {
        try await sandbox.setBehaviours(behaviour, "accept", for: Self.customer)
      } else {
        for number in [Self.customer, "551187654321"] { try await sandbox.setBehaviours(behaviour, for: number) }
      }
      let booking = try await book(platform, 0, address)
      try await platform.wait(for: end, of: "confirmed", about: booking, within: .seconds(60))
      try await platform.waitUntilIdle()
      let seen = try await sandbox.messages()
      #expect(seen.count == tries, "\(seen)")
      #expect(seen.filter(\.accepted).count == (end == "accepted" ? 1 : 0))
      #expect(Set(seen.map(\.callback)).count == 1)
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
    }
  }

  @Test func `a message whose answer never came is settled by its status report and never sent twice`() async throws {
    try await with { platform, sandbox, address in
      try await sandbox.setBehaviours("cut-after", for: Self.customer)
      let booking = try await book(platform, 0, address)
      try await platform.wait(for: "accepted", of: "confirmed", about: booking)
      try await platform.waitUntilIdle()
      #expect(try await sandbox.messages().count == 1)
      let counted = try await platform.number(
        "SELECT coalesce(sum(count), 0)::bigint FROM reports.rollup_day WHERE metric = 'message.accepted'")
      #expect(counted == 1)
    }
  }

  @Test func `a message that was cut off unread is sent again once later reports show that it was not accepted`()
    async throws
  {
    var setup = Platform.Setup()
    setup.inDoubtSeconds = 2
    try await with(setup) { platform, sandbox, address in
      try await sandbox.setBehaviours("cut-before", "accept", for: Self.customer)
      let booking = try await book(platform, 0, address)
      try await platform.wait(for: "in_doubt", of: "confirmed", about: booking)
      try await platform.waitUntilMessagesSettle()
      #expect(try await platform.messages(of: booking)["confirmed"] == "accepted")
      try await platform.waitUntilIdle()
      #expect(try await sandbox.messages().filter(\.accepted).count == 1)
    }
  }

  @Test func `a doubt without any report ends as the policy says, once later reports have come through`() async throws {
    for (policy, acceptances, end) in [("resend", 2, "accepted"), ("give_up", 1, "unknown")] {
      var setup = Platform.Setup()
      setup.inDoubt = policy
      setup.inDoubtSeconds = 2
      try await with(setup) { platform, sandbox, address in
        // WhatsApp accepts it, the connection breaks, and the reports are lost: nobody can know.
        try await sandbox.setBehaviours("cut-after-no-status", "accept", for: Self.customer)
        let booking = try await book(platform, 0, address)
        try await platform.wait(for: "in_doubt", of: "confirmed", about: booking)
        // Nothing shows yet that reports get through: it waits, however long.
        try await eventually("it was looked at after the inDoubtSeconds time") {
          try await platform.number(
            "SELECT count(*) FROM messaging.message WHERE sending_at < clock_timestamp() - interval '4 s'") == 1
        }
        #expect(try await platform.messages(of: booking)["confirmed"] == "in_doubt")
        let other = try await book(platform, 3, address)
        try await platform.wait(for: "accepted", of: "confirmed", about: other)
        try await platform.wait(for: end, of: "confirmed", about: booking, within: .seconds(60))
        try await platform.waitUntilIdle()
        let callback = try await platform.pool.query(
          "SELECT id::text FROM messaging.message WHERE booking_id = \(booking)")[0].decode(0, as: String.self)
        #expect(try await sandbox.messages().filter { $0.accepted && $0.callback == callback }.count == acceptances)
      }
    }
  }

  @Test func `a paused template holds its messages until the provider says that it may be used again`() async throws {
    try await with { platform, sandbox, address in
      try await sandbox.set(template: "agendamento_confirmado", to: "paused")
      try await eventually("the event has come") {
        try await platform.number("SELECT count(*) FROM messaging.suspension WHERE scope = 'template'") == 1
      }
      let booking = try await book(platform, 0, address)
      try await platform.wait(for: "prepared", of: "confirmed", about: booking)
      let rival = try await book(platform, 0, address)
      // Another template is not held up.
      try await platform.wait(for: "accepted", of: "rejected", about: rival)
      #expect(try await platform.command("whatsapp", "pauses").output.contains("agendamento_confirmado"))
      try await sandbox.set(template: "agendamento_confirmado", to: "approved")
      try await eventually("the pause is lifted") {
        try await platform.number("SELECT count(*) FROM messaging.suspension") == 0
      }
      #expect(try await platform.messages(of: booking)["confirmed"] == "prepared")
    }
  }

  @Test func `sends of a number keep to its rate over all nodes`() async throws {
    var setup = Platform.Setup()
    setup.rate = "5/s"
    try await with(setup) { platform, sandbox, address in
      try await platform.startWorker()
      for index in 0..<20 { _ = try await book(platform, index, address) }
      try await eventually(within: .seconds(40), "all are sent") {
        try await platform.number("SELECT count(*) FROM messaging.message WHERE state = 'accepted'") == 20
      }
      // In any second at most the rate and its burst, and what a pause of the machine has pushed together.
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
