import Curl
import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing

/// Accepted means findable: what was answered 202 is known to PostgreSQL within two seconds, while PostgreSQL answers.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct AcceptedTests {
  private func recorded(_ platform: Platform, _ pool: String) async throws -> Int {
    try await platform.number("SELECT count(*) FROM jobs.accepted WHERE pool = \(pool)")
  }

  @Test func `a booking is recorded with its body, a webhook with its source and ids, while no worker runs`()
    async throws
  {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      try await eventually(within: .seconds(2), "the booking is recorded") {
        try await recorded(platform, platform.validatePool) == 1
      }
      let row = try await platform.pool.query(
        "SELECT convert_from(body, 'UTF8'), envelope ->> 'kind', envelope ->> 'tenant' FROM jobs.accepted")[0]
      #expect(try row.decode(0, as: String.self).contains(booking.uuidString))
      #expect(try row.decode(1, as: String.self) == "booking.validate")
      #expect(try row.decode(2, as: String.self) == platform.business.uuidString)

      let body = """
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
         "metadata": {"phone_number_id": "\(Platform.phoneNumberID)"},
         "messages": [{"id": "wamid.ABC", "from": "5511987654321", "timestamp": "1790000000", "type": "text",
                       "text": {"body": "Olá"}}],
         "statuses": [{"id": "wamid.DEF", "status": "delivered", "timestamp": "1790000000",
                       "recipient_id": "5511987654321"}]}}]}]}
        """
      #expect(try await platform.webhook(Data(body.utf8), at: address).status == 200)
      try await eventually(within: .seconds(2), "the webhook is recorded") {
        try await recorded(platform, platform.inboundPool) == 1
      }
      let webhook = try await platform.pool.query(
        """
        SELECT body IS NULL, source, to_json(event_ids)::text, to_json(accepted)::text FROM jobs.accepted
        WHERE pool = \(platform.inboundPool)
        """)[0]
      #expect(try webhook.decode(0, as: Bool.self))
      #expect(try webhook.decode(1, as: String.self) == "whatsapp")
      #expect(try webhook.decode(2, as: String.self) == #"["wamid.ABC","wamid.DEF delivered"]"#)
      #expect(try !webhook.decode(3, as: String.self).contains("5511987654321"))

      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM jobs.accepted") == 0)
    }
  }

  @Test func `while PostgreSQL is away bookings are accepted, and recorded when it is back`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.postgresProxy = proxy
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      proxy.refuseNew()
      proxy.cutAll()
      for index in 0..<20 { #expect(try await platform.book(index, at: address)?.status == 202) }
      #expect(try await platform.number("SELECT count(*) FROM jobs.accepted") == 0)
      proxy.acceptNew()
      try await eventually(within: .seconds(10), "all are recorded") {
        try await recorded(platform, platform.validatePool) == 20
      }
      try await platform.startWorker()
      try await platform.waitUntilIdle()
    }
  }

  @Test func `a front that dies before it has recorded a booking loses the record, not the booking`() async throws {
    try await Platform.with { platform in
      let (front, address) = try await platform.startIngest(failpoints: "after-ingest-confirm=kill@2")
      let booking = try #require(try await platform.book(0, at: address, key: "one")?.booking)
      try await eventually(within: .seconds(2), "the first is recorded") {
        try await recorded(platform, platform.validatePool) == 1
      }
      #expect(try await platform.book(1, at: address, customer: "unanswered") == nil)
      #expect(try await front.ended() == SIGKILL)
      #expect(try await platform.depth(of: platform.validatePool) == 2)
      #expect(try await recorded(platform, platform.validatePool) == 1)
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(
        platform, accepted: [booking], inDoubt: ["unanswered"])
      #expect(reconciliation.isClean && reconciliation.recovered == 1, "\(reconciliation)")
    }
  }

  @Test func `a front that is asked to stop records what it has accepted first`() async throws {
    try await Platform.with { platform in
      let (front, address) = try await platform.startIngest()
      for index in 0..<5 { #expect(try await platform.book(index, at: address)?.status == 202) }
      front.send(SIGTERM)
      #expect(try await front.ended() == 0)
      #expect(try await recorded(platform, platform.validatePool) == 5)
    }
  }
}
