import Curl
import Foundation
import Logging
import TestServers
import Testing

@testable import WhatsAppSandbox

/// A logger that keeps nothing.
let silentLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension SandboxConfiguration {
  /// One number, statuses at once, and nothing left to chance unless the test says so.
  static func test(_ change: (inout SandboxConfiguration) -> Void = { _ in }) -> SandboxConfiguration {
    var configuration = SandboxConfiguration(token: "test-token", appSecret: "test-secret")
    configuration.phoneNumberIDs = [Sample.phoneNumberID: Sample.displayNumber]
    configuration.statusDelay = Duration.milliseconds(1)...Duration.milliseconds(5)
    configuration.doubled = 0
    configuration.reordered = 0
    configuration.readShare = 0
    change(&configuration)
    return configuration
  }
}

/// Runs a sandbox for the length of `body`; it must end when it is cancelled.
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
  try await answer(within: .seconds(20), "the sandbox ends") { try await running.value }
}

/// A client of a running sandbox.
struct SandboxClient: Sendable {
  struct Answer: Sendable {
    let status: Int
    let document: JSONValue

    /// The error's code; nil where it is none.
    var code: Int? { document["error"]?["code"]?.whole }
    /// True where it was refused with that HTTP status and code.
    func isRefusal(_ status: Int, _ code: Int) -> Bool { self.status == status && self.code == code }
    /// The accepted message's id.
    var wamid: String? { document["messages"]?.first?["id"]?.text }
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

  /// Lays down what happens to the next requests for a recipient.
  func setBehaviours(_ behaviours: String..., for recipient: String = Sample.recipient) async throws {
    let body: JSONValue = ["behaviours": .array(behaviours.map { .string($0) })]
    let answer = try await request("PUT", "/sandbox/recipients/\(recipient)", body.data())
    #expect(answer.status == 204)
  }

  /// The decided requests, as the sandbox lists them.
  func messages() async throws -> [JSONValue] { try await request("GET", "/sandbox/messages").document.list ?? [] }

  /// The statuses that were answered, of the request in that place.
  func statuses(_ place: Int = 0) async throws -> [String] {
    let messages = try await messages()
    guard place < messages.count else { return [] }
    return (messages[place]["statuses"]?.list ?? []).compactMap { $0.text }
  }
}

/// Messages to send.
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

extension JSONValue {
  /// The flag it is; nil where it is something else.
  var flag: Bool? {
    guard case .bool(let flag) = self else { return nil }
    return flag
  }

  /// The first value of an array.
  var first: JSONValue? { list?.first }

  /// The same object with another member; nil: without it.
  func with(_ name: String, _ value: JSONValue?) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members[name] = value
    return .object(members)
  }

  /// Which members there are, down to the last, and of which type each is.
  var shape: Set<String> {
    switch self {
    case .object(let members): Set(members.flatMap { name, value in value.shape.map { ".\(name)\($0)" } })
    case .array(let values): Set(values.flatMap { value in value.shape.map { "[]\($0)" } })
    case .string: [": text"]
    case .integer, .number: [": number"]
    case .bool: [": flag"]
    case .null: [": null"]
    }
  }

  /// What a webhook's first change tells.
  var change: JSONValue? { self["entry"]?.first?["changes"]?.first?["value"] }
}
