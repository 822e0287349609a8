import Foundation
import Testing
import WhatsApp

/// The provider's sample payloads, which lie beside the tests of WhatsApp.
enum Payload {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "WhatsAppTests/Payloads")

  /// The bytes of a file, which is named without its ending.
  static func data(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: "\(name).json")) }

  /// The JSON object in a file.
  static func json(_ name: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data(name)) as? [String: Any])
  }

  /// The names of the files that begin like this, without their ending, in order.
  static func names(_ prefixes: String...) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { name in prefixes.contains { name.hasPrefix($0) } && name.hasSuffix(".json") }
      .map { String($0.dropLast(5)) }.sorted()
  }
}

/// A message as the platform sends them.
func message(
  to recipient: TemplateMessage.Recipient = .number("5511987654321"), name: String = "lembrete_consulta",
  parameters: [String] = ["Maria"], quickReplies: [QuickReply] = [], callback: String = "job:01JD8Y4N7W"
) -> TemplateMessage {
  TemplateMessage(
    from: "106540352242922", to: recipient,
    content: TemplateContent(name: name, parameters: parameters, quickReplies: quickReplies), callback: callback)
}
