import Curl
import Foundation
import Logging
import TestServers
package import WhatsAppSandbox

extension SandboxConfiguration {
  /// Statuses come soon, some twice and some in another order than they happened.
  package static var quick: SandboxConfiguration {
    var configuration = SandboxConfiguration(token: Platform.token, appSecret: Platform.appSecret)
    configuration.statusDelay = .milliseconds(10) ... .milliseconds(150)
    configuration.doubled = 0.3
    configuration.reordered = 0.3
    return configuration
  }
}

/// The stand-in for WhatsApp, run in the test's own process, and what it says of the messages it was given.
package final class SandboxHost: Sendable {
  /// A message as the stand-in saw it.
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

  /// Where its API is.
  package func url() async throws -> String { "http://127.0.0.1:\(try await sandbox.port())" }

  package func send(webhooksTo url: String) { sandbox.setWebhookURL(url) }

  func stop() async {
    running.cancel()
    _ = await running.result
  }

  /// Every send it decided on, in order.
  package func messages() async throws -> [ReceivedMessage] {
    let response = try await http.send(CurlRequest("GET", "\(try await url())/sandbox/messages"))
    return try JSONDecoder().decode([ReceivedMessage].self, from: response.body)
  }

  /// What becomes of the next messages to a recipient.
  package func setBehaviours(_ behaviours: String..., for recipient: String) async throws {
    try await control("PUT", "recipients/\(recipient)", ["behaviours": behaviours])
  }

  /// Changes what may be done with a template, and tells so by webhook.
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

  /// A customer writes something.
  package func write(_ text: String, from: String) async throws {
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
