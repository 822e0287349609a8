import Curl
import Foundation
import Logging
import TestServers
import WhatsAppSandbox

/// A WhatsApp sandbox in the test's own process, and a client of its control routes.
package final class SandboxHost: Sendable {
  package struct ReceivedMessage: Decodable, Sendable {
    package let wamid: String?
    package let to: String
    package let template: String?
    package let callback: String?
    package let outcome: String
    package let code: Int?
    package let accepted: Bool
    package let statuses: [String]
    package let payloads: [String]?
  }

  private let sandbox: WhatsAppSandbox
  private let running: Task<Void, any Error>
  private let http = CurlClient()

  init(_ configuration: SandboxConfiguration) {
    let sandbox = WhatsAppSandbox(configuration, logger: Logger(label: "sandbox") { _ in SwiftLogNoOpLogHandler() })
    self.sandbox = sandbox
    running = Task { try await sandbox.run() }
  }

  package func url() async throws -> String { "http://127.0.0.1:\(try await sandbox.port())" }

  package func send(webhooksTo url: String) { sandbox.setWebhookURL(url) }

  func stop() async {
    running.cancel()
    _ = await running.result
  }

  /// All decided requests to send, in order.
  package func messages() async throws -> [ReceivedMessage] {
    let response = try await http.send(CurlRequest("GET", "\(try await url())/sandbox/messages"))
    return try JSONDecoder().decode([ReceivedMessage].self, from: response.body)
  }

  /// Sets the behaviours of the next messages to a recipient.
  package func setBehaviours(_ behaviours: String..., for recipient: String) async throws {
    try await control("PUT", "recipients/\(recipient)", ["behaviours": behaviours])
  }

  /// Changes a template's state, which also posts a webhook.
  package func set(template: String, to state: String) async throws {
    try await control("PUT", "templates/\(template)", ["state": state])
  }

  /// A customer presses a button of a message.
  package func press(_ payload: String, from: String, context: String?) async throws {
    var body: [String: Any] = [
      "phone_number_id": Platform.phoneNumberID, "from": from, "name": "Maria",
      "button": ["payload": payload, "text": "Ok"],
    ]
    body["context"] = context
    try await control("POST", "inbound", body)
  }

  /// A customer sends a text.
  package func sendText(_ text: String, from: String) async throws {
    try await control(
      "POST", "inbound", ["phone_number_id": Platform.phoneNumberID, "from": from, "name": "Maria", "text": text])
  }

  private func control(_ method: String, _ path: String, _ body: [String: Any]) async throws {
    let response = try await http.send(
      CurlRequest(
        method, "\(try await url())/sandbox/\(path)", headers: [(name: "Content-Type", value: "application/json")],
        body: try JSONSerialization.data(withJSONObject: body)))
    guard (200..<300).contains(response.status) else {
      throw TestError(
        description: "the sandbox answered \(response.status): \(String(decoding: response.body, as: UTF8.self))")
    }
  }
}
