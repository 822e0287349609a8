import Foundation
import TestServers
import Testing

@testable import WhatsAppSandbox

/// The webhooks of a running sandbox, as a business receives them.
@Suite(.timeLimit(.minutes(1)))
struct WebhookTests {
  /// Between two statuses whose order matters: long enough for a busy machine.
  private static let delay = Duration.milliseconds(250)

  /// A sandbox and the endpoint its webhooks go to.
  private func withBoth(
    _ configuration: SandboxConfiguration = .test(), refusing count: Int = 0,
    _ body: (SandboxClient, WebhookReceiver) async throws -> Void
  ) async throws {
    try await WebhookReceiver.with(refusing: count) { receiver in
      var configuration = configuration
      configuration.webhookURL = receiver.url
      try await withSandbox(configuration) { sandbox in try await body(sandbox, receiver) }
    }
  }

  @Test func `statuses come signed, in Meta's shapes, one after the other`() async throws {
    let configuration = SandboxConfiguration.test {
      $0.readShare = 1
      $0.statusDelay = Self.delay...Self.delay
    }
    let (sent, delivered) = (try Sample.document("st_sent_pmp"), try Sample.document("st_delivered_pmp"))
    try await withBoth(configuration) { sandbox, receiver in
      let answer = try await sandbox.send(Sample.template())
      try await eventually("all statuses were answered") { try await sandbox.statuses().count == 3 }
      #expect(try await sandbox.statuses() == ["sent", "delivered", "read"])
      #expect(receiver.all.count == 3)
      for webhook in receiver.all {
        #expect(webhook.isSigned(with: "test-secret"))
        #expect(!webhook.isSigned(with: "other-secret"))
        #expect(webhook.contentType == "application/json")
        #expect(webhook.body.allSatisfy { $0 < 0x80 })
        #expect(webhook.status?["id"]?.stringValue == answer.wamid)
        #expect(webhook.status?["recipient_id"]?.stringValue == Sample.recipient)
        #expect(webhook.status?["biz_opaque_callback_data"]?.stringValue == "job:1")
      }
      let documents = receiver.all.map(\.document)
      #expect(documents.first?.shape == sent.shape)
      #expect(documents.dropFirst().first?.shape == delivered.shape)
      #expect(receiver.all.first?.status?["pricing"] == sent.change?["statuses"]?.first?["pricing"])
    }
  }

  @Test func `read and failed have Meta's shapes`() async throws {
    let (metaRead, metaFailed) = (try Sample.document("st_read"), try Sample.document("st_failed_131026"))
    try await withBoth(.test { $0.readShare = 1 }) { sandbox, receiver in
      _ = try await sandbox.send(Sample.template(callback: nil))
      try await receiver.wait(for: 3)
      let read = try #require(receiver.all.first(where: { $0.status?["status"]?.stringValue == "read" }))
      #expect(read.document.shape == metaRead.shape)
      try await sandbox.setBehaviours("fail-later:131026")
      _ = try await sandbox.send(Sample.template(callback: nil))
      try await eventually("both statuses came") { try await sandbox.statuses(1).count == 2 }
      let failed = try #require(receiver.all.first(where: { $0.status?["status"]?.stringValue == "failed" }))
      #expect(failed.document.shape == metaFailed.shape)
      #expect(failed.status?["errors"] == metaFailed.change?["statuses"]?.first?["errors"])
      #expect(try await sandbox.statuses(1).sorted() == ["failed", "sent"])
      #expect(try await sandbox.messages().last?["code"]?.intValue == 131_026)
    }
  }

  @Test func `no status: the message gets none, another one gets its own`() async throws {
    try await withBoth { sandbox, receiver in
      try await sandbox.setBehaviours("no-status", "accept")
      let silent = try await sandbox.send(Sample.template())
      #expect(silent.status == 200)
      _ = try await sandbox.send(Sample.template(callback: "job:2"))
      try await eventually("the other's statuses came") { try await sandbox.statuses(1).count == 2 }
      #expect(try await sandbox.statuses(0).isEmpty)
      #expect(!receiver.all.contains(where: { $0.status?["id"]?.stringValue == silent.wamid }))
    }
  }

  @Test func `duplicate webhooks have the same bytes`() async throws {
    try await withBoth(.test { $0.duplicateShare = 1 }) { sandbox, receiver in
      _ = try await sandbox.send(Sample.template())
      try await receiver.wait(for: 4)
      let bodies = receiver.all.map(\.body)
      #expect(Set(bodies).count == 2)
      #expect(Set(bodies).allSatisfy { body in bodies.filter { $0 == body }.count == 2 })
      try await eventually("all answers were seen") { try await sandbox.statuses().count == 4 }
      #expect(try await sandbox.statuses().sorted() == ["delivered", "delivered", "sent", "sent"])
    }
  }

  @Test func `reordered statuses arrive before sent does`() async throws {
    let configuration = SandboxConfiguration.test {
      $0.reorderedShare = 1
      $0.statusDelay = Self.delay...Self.delay
    }
    try await withBoth(configuration) { sandbox, _ in
      _ = try await sandbox.send(Sample.template())
      try await eventually("both statuses came") { try await sandbox.statuses().count == 2 }
      #expect(try await sandbox.statuses() == ["delivered", "sent"])
    }
  }

  @Test func `a webhook that is answered 503 is posted again, unchanged`() async throws {
    try await withBoth(refusing: 3) { sandbox, receiver in
      _ = try await sandbox.send(Sample.template())
      try await eventually(within: .seconds(20), "both statuses were accepted") {
        try await sandbox.statuses().count == 2
      }
      #expect(receiver.all.count == 5)
      #expect(Set(receiver.all.map(\.body)).count == 2)
      #expect(Set(receiver.accepted.map(\.body)).count == 2)
    }
  }

  @Test func `webhooks are posted once their URL is set`() async throws {
    try await WebhookReceiver.with { receiver in
      try await withSandbox { (sandbox) async throws in
        sandbox.sandbox.setWebhookURL(receiver.url)
        _ = try await sandbox.send(Sample.template())
        try await receiver.wait(for: 2)
      }
    }
  }

  @Test func `a text comes in, and opens the window`() async throws {
    let meta = try Sample.document("in_text")
    let free = try Sample.document("st_delivered_free_customer_service").change?["statuses"]?.first?["pricing"]
    try await withBoth { sandbox, receiver in
      let inbound: JSONValue = [
        "phone_number_id": .string(Sample.phoneNumberID), "from": "553188888888", "name": "João", "text": "Olá 😀",
      ]
      let answer = try await sandbox.request("POST", "/sandbox/inbound", inbound.data())
      #expect(answer.status == 202)
      try await receiver.wait(for: 1)
      let webhook = try #require(receiver.all.first)
      #expect(webhook.isSigned(with: "test-secret"))
      #expect(webhook.document.shape == meta.shape)
      #expect(webhook.message?["id"]?.stringValue == answer.document["wamid"]?.stringValue)
      #expect(webhook.message?["from"]?.stringValue == "553188888888")
      #expect(webhook.message?["text"]?["body"]?.stringValue == "Olá 😀")
      #expect(webhook.document.change?["contacts"]?.first?["profile"]?["name"]?.stringValue == "João")
      #expect(String(decoding: webhook.body, as: UTF8.self).contains(#"Ol\u00e1 \ud83d\ude00"#))
      // The same account, by its newer number.
      #expect(try await sandbox.send(Sample.text("Olá", to: "5531988888888")).status == 200)
      #expect(try await sandbox.send(Sample.text("Olá", to: "5521988888888")).code == 131_047)
      try await receiver.wait(for: 3)
      #expect(receiver.all.last?.status?["pricing"] == free)
    }
  }

  @Test func `a quick reply comes in`() async throws {
    let meta = try Sample.document("in_button_quick_reply")
    try await withBoth { sandbox, receiver in
      let inbound: JSONValue = [
        "phone_number_id": .string(Sample.phoneNumberID), "from": .string(Sample.recipient),
        "button": ["payload": "confirm:1", "text": "Confirmar"], "context": "wamid.X",
      ]
      let answer = try await sandbox.request("POST", "/sandbox/inbound", inbound.data())
      #expect(answer.status == 202)
      try await receiver.wait(for: 1)
      let webhook = try #require(receiver.all.first)
      #expect(webhook.document.shape == meta.shape)
      #expect(webhook.message?["button"] == inbound["button"])
      let context: JSONValue = ["from": .string(Sample.displayNumber), "id": "wamid.X"]
      #expect(webhook.message?["context"] == context)
    }
  }

  @Test func `an inbound message must be whole`() async throws {
    let good: JSONValue = [
      "phone_number_id": .string(Sample.phoneNumberID), "from": .string(Sample.recipient), "text": "Olá",
    ]
    let wrong = [
      good.with("phone_number_id", "1"), good.with("from", nil), good.with("from", "Maria"), good.with("text", nil),
      good.with("text", nil).with("button", ["text": "Confirmar"]),
    ]
    try await withSandbox { (sandbox) async throws in
      for body in wrong {
        #expect(try await sandbox.request("POST", "/sandbox/inbound", body.data()).status == 400)
      }
    }
  }

  @Test func `a template is paused, disabled and approved again`() async throws {
    try await withBoth { sandbox, receiver in
      let path = "/sandbox/templates/lembrete_consulta"
      let states: [(String, Int?)] = [("paused", 132_015), ("disabled", 132_016), ("approved", nil)]
      for (index, (state, code)) in states.enumerated() {
        let body: JSONValue = ["state": .string(state)]
        #expect(try await sandbox.request("PUT", path, body.data()).status == 204)
        try await eventually("its webhook came") {
          receiver.accepted.contains { $0.document.change?["event"]?.stringValue == state.uppercased() }
        }
        let webhook = try #require(receiver.accepted.last)
        let meta = try Sample.document("tpl_status_\(state)")
        #expect(webhook.isSigned(with: "test-secret"))
        #expect(webhook.document.shape == meta.shape)
        #expect(webhook.document.change?["message_template_name"]?.stringValue == "lembrete_consulta")
        try await sandbox.setBehaviours("no-status")
        #expect(try await sandbox.send(Sample.template(callback: "job:\(index)")).code == code)
      }
      #expect(try await sandbox.request("PUT", path, Data(#"{"state": "lost"}"#.utf8)).status == 400)
      #expect(try await sandbox.request("PUT", path + "x", Data(#"{"state": "paused"}"#.utf8)).status == 404)
    }
  }
}
