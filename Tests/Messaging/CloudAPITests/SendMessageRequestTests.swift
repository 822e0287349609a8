import Foundation
import Testing
import WhatsApp

@testable import CloudAPI

/// The body of a send, held against the provider's examples.
struct SendMessageRequestTests {
  private func document(_ message: TemplateMessage) throws -> [String: Any] {
    let data = try JSONEncoder().encode(SendMessageRequest(message))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// The path of each value of a document; a list's elements are distinguished by their `type` alone.
  private func paths(_ value: Any, _ path: String = "") -> Set<String> {
    if let object = value as? [String: Any] {
      return object.reduce(into: []) { paths, entry in
        paths.formUnion(self.paths(entry.value, "\(path).\(entry.key)"))
      }
    }
    guard let list = value as? [Any] else { return [path] }
    return list.reduce(into: []) { paths, element in
      let type = (element as? [String: Any])?["type"] as? String ?? ""
      paths.formUnion(self.paths(element, "\(path)[\(type)]"))
    }
  }

  @Test func `a template with buttons has the keys and the nesting of the provider's example`() throws {
    let booking = UUID()
    let document = try document(
      message(parameters: ["Maria"], quickReplies: [.confirm(booking: booking), .cancel(booking: booking)]))
    // The platform's templates have neither headers nor anything but text.
    let others = ["[header]", "[currency]", "[date_time]"]
    let example = paths(try Payload.json("send_template_positional")).filter { path in
      !others.contains { path.contains($0) }
    }
    #expect(paths(document) == example)
  }

  @Test func `a template has no key that the provider's examples do not have`() throws {
    let examples = paths(try Payload.json("send_template_positional"))
      .union(paths(try Payload.json("send_template_named_params")))
    let document = try document(message(quickReplies: [.confirm(booking: UUID())]))
    #expect(paths(document).isSubset(of: examples))
  }

  @Test func `a template's values have the paths of the provider's example`() throws {
    let booking = UUID()
    let document = try document(
      message(
        name: "agendamento_confirmado", parameters: ["Maria", "24/11 às 10:00"],
        quickReplies: [.confirm(booking: booking), .cancel(booking: booking)], callback: "intent-7"))
    let expected = """
      {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "5511987654321", "type": "template",
        "biz_opaque_callback_data": "intent-7",
        "template": {
          "name": "agendamento_confirmado", "language": { "code": "pt_BR" },
          "components": [
            { "type": "body", "parameters": [
              { "type": "text", "text": "Maria" }, { "type": "text", "text": "24/11 às 10:00" } ] },
            { "type": "button", "sub_type": "quick_reply", "index": "0",
              "parameters": [ { "type": "payload", "payload": "confirm:\(booking.uuidString.lowercased())" } ] },
            { "type": "button", "sub_type": "quick_reply", "index": "1",
              "parameters": [ { "type": "payload", "payload": "cancel:\(booking.uuidString.lowercased())" } ] }
          ]
        }
      }
      """
    #expect(try sorted(document) == sorted(JSONSerialization.jsonObject(with: Data(expected.utf8))))
  }

  @Test func `a template without buttons has none, and one without places has no components`() throws {
    let plain = try #require(try document(message())["template"] as? [String: Any])
    #expect((plain["components"] as? [Any])?.count == 1)
    let bare = try #require(try document(message(parameters: []))["template"] as? [String: Any])
    #expect((bare["components"] as? [Any] ?? []).isEmpty)
  }

  @Test func `a user id is the recipient, and there is no number then`() throws {
    let document = try document(message(to: .user("BR.13491208655302741918")))
    let example = try Payload.json("send_to_bsuid")
    #expect(document["recipient"] as? String == example["recipient"] as? String)
    #expect(document["to"] == nil && example["to"] == nil)
    #expect(try self.document(message())["recipient"] == nil)
  }

  @Test func `text of any kind is itself again in JSON`() throws {
    let odd = "\"\\ / <b> 🦊 \u{202e} {{1}} %s"
    let document = try document(message(parameters: [odd], callback: odd))
    #expect(document["biz_opaque_callback_data"] as? String == odd)
    #expect(try sorted(document).contains("🦊"))
  }

  private func sorted(_ value: Any) throws -> String {
    let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}
