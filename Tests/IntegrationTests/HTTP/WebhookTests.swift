import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsApp

/// WhatsApp's webhooks, from the POST to the rows.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct WebhookTests {
  private static let payloads = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
    .appending(path: "Messaging/WhatsAppTests/Payloads")

  @Test func `the provider's challenge is answered, and only with the right token`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      func ask(_ query: String) async throws -> CurlResponse {
        try await platform.request("GET", "\(address)/webhooks/whatsapp?\(query)")
      }
      let good = try await ask("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-me")
      #expect(good.status == 200)
      #expect(good.body == Data("1158201444".utf8))
      #expect(good.header("content-type")?.hasPrefix("text/plain") == true)
      for bad in [
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong", "hub.mode=subscribe&hub.verify_token=verify-me",
        "hub.challenge=1&hub.verify_token=verify-me", "",
      ] {
        #expect(try await ask(bad).status == 403, "\(bad)")
      }
    }
  }

  @Test func `an unsigned or too large webhook is refused and nothing of it is stored`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let body = try Data(contentsOf: Self.payloads.appending(path: "sig_escaped_unicode_body.json"))
      let right = "sha256=05f5baf02e7743a0aa4990eb4603a7c0185c29fcb72a3f9e6771d2bba77eb7f3"
      for wrong in ["sha256=" + String(repeating: "0", count: 64), String(right.dropFirst(7)), "", "sha256="] {
        #expect(try await platform.webhook(body, at: address, signature: wrong).status == 401, "\(wrong)")
      }
      let unsigned = try await platform.request(
        "POST", "\(address)/webhooks/whatsapp", body: String(decoding: body, as: UTF8.self))
      #expect(unsigned.status == 401)
      let large = Data(repeating: UInt8(ascii: " "), count: (3 << 20) + 1)
      #expect(try await platform.webhook(large, at: address).status == 413)
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM messaging.inbound_message") == 0)
      #expect(try await platform.webhook(body, at: address, signature: right).status == 200)
      try await eventually("it is stored") {
        try await platform.number("SELECT count(*) FROM messaging.inbound_message WHERE wamid = 'wamid.X'") == 1
      }
    }
  }

  @Test func `every sample payload is stored once, though sent three times and in any order`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let files = try FileManager.default.contentsOfDirectory(atPath: Self.payloads.path).filter {
        $0.hasSuffix(".json") && !$0.hasPrefix("err_") && !$0.hasPrefix("resp_") && !$0.hasPrefix("send_")
      }
      #expect(files.count > 30)
      let bodies = try files.map { try Data(contentsOf: Self.payloads.appending(path: $0)) }
      var expected: (messages: Set<String>, statuses: Set<String>, events: Set<String>) = ([], [], [])
      for body in bodies {
        for update in WebhookParser.updates(in: body) {
          switch update {
          case .message(let message): expected.messages.insert(message.wamid)
          case .status(let report): expected.statuses.insert("\(report.wamid) \(report.status) \(report.recipient)")
          case .event(let event): expected.events.insert(event.key)
          }
        }
      }
      var random = SeededRandom(seed: 7)
      for body in (bodies + bodies + bodies).shuffled(using: &random) {
        #expect(try await platform.webhook(body, at: address).status == 200)
      }
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM messaging.inbound_message") == expected.messages.count)
      #expect(try await platform.number("SELECT count(*) FROM messaging.status_report") == expected.statuses.count)
      #expect(try await platform.number("SELECT count(*) FROM messaging.provider_event") == expected.events.count)
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      let counted = try await platform.number(
        """
        SELECT coalesce(sum(count), 0)::bigint FROM reports.rollup_day
        WHERE metric IN ('message.received', 'message.status', 'provider.event')
        """)
      #expect(counted == expected.messages.count + expected.statuses.count + expected.events.count)
    }
  }

  @Test func `a thousand updates in one POST, and bodies that are not JSON`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let messages = (0..<1_000).map { index in
        #"{"from":"5511987654321","id":"wamid.\#(index)","timestamp":"1795414356","type":"text","text":{"body":"a\u0000b \ud83d"}}"#
      }.joined(separator: ",")
      let many =
        #"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[\#(messages)]}}]}]}"#
      // As large as a webhook may be.
      let body = Data(many.utf8) + Data(repeating: UInt8(ascii: " "), count: (3 << 20) - many.utf8.count)
      #expect(try await platform.webhook(body, at: address).status == 200)
      for odd in ["", "not json", "[]", "null", "{\"entry\":5}", String(repeating: "[", count: 5_000)] {
        #expect(try await platform.webhook(Data(odd.utf8), at: address).status == 200, "\(odd.prefix(20))")
      }
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM messaging.inbound_message") == 1_000)
      #expect(try await platform.number("SELECT count(*) FROM messaging.provider_event") == 6)
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
    }
  }

  @Test func `a webhook is answered 503 while the broker is unreachable, and stored once afterwards`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.rabbitMQProxy = proxy
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      let body = try Data(contentsOf: Self.payloads.appending(path: "in_text.json"))
      proxy.refuseNew()
      proxy.cutAll()
      let refused = try await platform.webhook(body, at: address)
      #expect(refused.status == 503)
      #expect(refused.header("retry-after") != nil)
      proxy.acceptNew()
      try await eventually(within: .seconds(20), "webhooks are accepted again") {
        try await platform.webhook(body, at: address).status == 200
      }
      try await platform.startWorker()
      try await eventually("it is stored once") {
        try await platform.number("SELECT count(*) FROM messaging.inbound_message") == 1
      }
    }
  }
}
