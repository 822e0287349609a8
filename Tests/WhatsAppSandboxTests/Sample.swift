import Foundation
import Testing

@testable import WhatsAppSandbox

/// Messages to send, and payloads of Meta's.
enum Sample {
  static let phoneNumberID = "106540352242922"
  static let displayNumber = "551130031234"
  static let recipient = "5511987654321"

  static func template(
    _ name: String = "lembrete_consulta", language: String = "pt_BR", to: String = Sample.recipient,
    parameters: [String] = ["Maria", "24/11 às 10h", "Clínica Vida"],
    payloads: [String] = ["confirm:1", "cancel:1"], callback: String? = "job:1"
  ) -> JSONValue {
    var components: [JSONValue] = [body(parameters.map { parameter($0) })]
    for (index, payload) in payloads.enumerated() { components.append(button(String(index), payload)) }
    return template(name, language, to: to, components).with(
      "biz_opaque_callback_data", callback.map { .string($0) })
  }

  static func template(_ name: String, _ language: String, to: String, _ components: [JSONValue]) -> JSONValue {
    [
      "messaging_product": "whatsapp", "recipient_type": "individual", "to": .string(to), "type": "template",
      "template": [
        "name": .string(name), "language": ["code": .string(language)], "components": .array(components),
      ],
    ]
  }

  static func text(_ body: String, to: String = Sample.recipient) -> JSONValue {
    ["messaging_product": "whatsapp", "to": .string(to), "type": "text", "text": ["body": .string(body)]]
  }

  static func body(_ parameters: [JSONValue]) -> JSONValue { ["type": "body", "parameters": .array(parameters)] }

  static func parameter(_ text: String) -> JSONValue { ["type": "text", "text": .string(text)] }

  static func button(_ index: String, _ payload: String) -> JSONValue {
    [
      "type": "button", "sub_type": "quick_reply", "index": .string(index),
      "parameters": [["type": "payload", "payload": .string(payload)]],
    ]
  }

  /// One of Meta's payloads, from the copies beside the tests.
  static func payload(_ name: String) throws -> Data {
    try Data(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Messaging/WhatsAppTests/Payloads/\(name).json"))
  }

  static func document(_ name: String) throws -> JSONValue {
    let data = try payload(name)
    return try #require(JSONValue(data))
  }
}
