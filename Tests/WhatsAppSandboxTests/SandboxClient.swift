import Curl
import Foundation
import Logging
import TestServers
import Testing

@testable import WhatsAppSandbox

let silentLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension SandboxConfiguration {
  /// One number, statuses at once, and no random behaviour unless the test sets it.
  static func test(_ change: (inout SandboxConfiguration) -> Void = { _ in }) -> SandboxConfiguration {
    var configuration = SandboxConfiguration(token: "test-token", appSecret: "test-secret")
    configuration.phoneNumberIDs = [Sample.phoneNumberID: Sample.displayNumber]
    configuration.statusDelay = Duration.milliseconds(1)...Duration.milliseconds(5)
    configuration.duplicateShare = 0
    configuration.reorderedShare = 0
    configuration.readShare = 0
    change(&configuration)
    return configuration
  }
}

/// Runs a sandbox while `body` runs; it must end when it is cancelled.
func withSandbox(
  _ configuration: SandboxConfiguration = .test(), _ body: (SandboxClient) async throws -> Void
) async throws {
  let sandbox = WhatsAppSandbox(configuration, logger: silentLogger)
  let running = Task { try await sandbox.run() }
  do {
    try await body(SandboxClient(sandbox, port: try await sandbox.port()))
  } catch {
    running.cancel()
    throw error
  }
  running.cancel()
  try await withTimeout(within: .seconds(20), "the sandbox ends") { try await running.value }
}

/// A client of a running sandbox.
struct SandboxClient: Sendable {
  struct Answer: Sendable {
    let status: Int
    let document: JSONValue

    /// The error's code.
    var code: Int? { document["error"]?["code"]?.intValue }
    func isRefusal(_ status: Int, _ code: Int) -> Bool { self.status == status && self.code == code }
    /// The accepted message's id.
    var wamid: String? { document["messages"]?.first?["id"]?.stringValue }
  }

  let sandbox: WhatsAppSandbox
  let url: String
  private let http = CurlClient()

  init(_ sandbox: WhatsAppSandbox, port: Int) { self.init(sandbox, url: "http://127.0.0.1:\(port)") }

  private init(_ sandbox: WhatsAppSandbox, url: String) {
    self.sandbox = sandbox
    self.url = url
  }

  /// The same client with connections of its own.
  func newConnection() -> SandboxClient { SandboxClient(sandbox, url: url) }

  func request(
    _ method: String, _ path: String, _ body: Data? = nil, token: String? = "test-token",
    timeout: Duration = .seconds(20)
  ) async throws -> Answer {
    var headers = [(name: "Content-Type", value: "application/json")]
    if let token { headers.append((name: "Authorization", value: "Bearer \(token)")) }
    let response = try await http.send(
      CurlRequest(method, url + path, headers: headers, body: body, timeout: timeout))
    return Answer(status: response.status, document: JSONValue(response.body) ?? .null)
  }

  func send(_ message: JSONValue, timeout: Duration = .seconds(20)) async throws -> Answer {
    try await request("POST", "/v23.0/\(Sample.phoneNumberID)/messages", message.data(), timeout: timeout)
  }

  /// Sets the behaviours of the next requests for a recipient.
  func setBehaviours(_ behaviours: String..., for recipient: String = Sample.recipient) async throws {
    let body: JSONValue = ["behaviours": .array(behaviours.map { .string($0) })]
    let answer = try await request("PUT", "/sandbox/recipients/\(recipient)", body.data())
    #expect(answer.status == 204)
  }

  /// The decided requests, as the sandbox lists them.
  func messages() async throws -> [JSONValue] {
    try await request("GET", "/sandbox/messages").document.arrayValue ?? []
  }

  /// The delivered statuses of the request at that index.
  func statuses(_ index: Int = 0) async throws -> [String] {
    let messages = try await messages()
    guard index < messages.count else { return [] }
    return (messages[index]["statuses"]?.arrayValue ?? []).compactMap { $0.stringValue }
  }
}
