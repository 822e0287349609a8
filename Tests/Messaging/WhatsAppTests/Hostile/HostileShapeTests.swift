import Foundation
import TestServers
import Testing
import WhatsApp

/// Webhooks of other shapes than the documented ones.
@Suite(.timeLimit(.minutes(2)))
struct HostileShapeTests {
  @Test(arguments: Sample.all.map(\.file))
  func `with any value replaced, a payload is at least one update, and fit for a database`(_ file: String) throws {
    let whole = try JSONSerialization.jsonObject(with: Payload.data(file))
    for variant in variants(of: whole) {
      let body = try JSONSerialization.data(withJSONObject: variant, options: .fragmentsAllowed)
      let updates = WebhookParser.updates(in: body)
      let isSound = !updates.isEmpty && updates.allSatisfy { !holdsNull($0) && isJSON($0.raw) }
      #expect(isSound, "\(String(decoding: body, as: UTF8.self))")
    }
  }

  @Test func `a poisonous item spoils none beside it`() {
    let good = #"{"id":"wamid.1","from":"551","timestamp":"1795414356","type":"text"}"#
    let poison = ["null", "7", "\"text\"", "[]", "{}", #"{"id":7}"#, #"{"id":null}"#, #"{"id":""}"#, "[[[]]]"]
    let items = poison.flatMap { [good, $0] } + [good]
    let updates = WebhookParser.updates(in: webhook("{\"messages\":[\(items.joined(separator: ","))]}"))
    #expect(updates.count == items.count)
    #expect(updates.filter { $0.asMessage?.wamid == "wamid.1" }.count == poison.count + 1)
  }

  @Test func `a list of the wrong shape is stored beside good ones, and not dropped`() {
    let status = #"{"id":"wamid.1","status":"sent","timestamp":"1795414357","recipient_id":"551"}"#
    for wrong in [#"{"id":"wamid.2"}"#, #""text""#, "7"] {
      let updates = WebhookParser.updates(in: webhook(#"{"messages":\#(wrong),"statuses":[\#(status)]}"#))
      #expect(updates.compactMap(\.asStatus).map(\.wamid) == ["wamid.1"])
      #expect(updates.contains { $0.asEvent?.raw.contains(wrong) == true }, "\(wrong) is nowhere")
    }
  }

  @Test func `an unknown status is an event`() throws {
    let update = try onlyUpdate(#"{"statuses":[{"id":"wamid.1","status":"warning","recipient_id":"551"}]}"#)
    #expect(update.asEvent != nil)
    #expect(update.raw.contains("wamid.1"))
  }

  @Test func `a message of an unknown type is a message`() throws {
    let update = try onlyUpdate(#"{"messages":[{"id":"wamid.1","type":"hologram","from":"551"}]}"#)
    #expect(update.asMessage?.type == "hologram")
    #expect(try onlyUpdate(#"{"messages":[{"id":"wamid.1"}]}"#).asMessage?.type == "unknown")
  }

  @Test func `1,000 updates in a body stand in their order`() {
    let messages = (0..<500).map { #"{"id":"wamid.m\#($0)","from":"551","timestamp":"1795414356","type":"text"}"# }
    let statuses = (0..<500).map {
      #"{"id":"wamid.s\#($0)","status":"sent","timestamp":"1795414356","recipient_id":"551"}"#
    }
    let value = "{\"messages\":[\(messages.joined(separator: ","))],\"statuses\":[\(statuses.joined(separator: ","))]}"
    let updates = WebhookParser.updates(in: webhook(value))
    let ids = updates.map { $0.asMessage?.wamid ?? $0.asStatus?.wamid ?? "" }
    let isWhole = ids == (0..<500).map { "wamid.m\($0)" } + (0..<500).map { "wamid.s\($0)" }
    #expect(isWhole)
  }

  @Test func `values that lie deep are kept, and too deep is no crash`() async throws {
    let deep = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
    #expect(try onlyUpdate(#"{"messages":[{"id":"wamid.1","deep":\#(deep)}]}"#).asMessage?.wamid == "wamid.1")
    await #expect(processExitsWith: .success) {
      for (opening, closing) in [("[", "]"), (#"{"a":"#, "}"), ("[", ""), (#"{"entry":["#, "]}")] {
        for count in [511, 512, 513, 100_000] {
          let text = String(repeating: opening, count: count) + "7" + String(repeating: closing, count: count)
          #expect(WebhookParser.updates(in: Data(text.utf8)).count == 1)
          #expect(!WebhookParser.updates(in: webhook(#"{"messages":[{"id":"wamid.1","deep":\#(text)}]}"#)).isEmpty)
        }
      }
    }
  }
}
