import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import TestServers

@testable import WhatsAppSandbox

/// A business's webhook endpoint that stores what it receives, and can refuse the first few.
final class WebhookReceiver: Sendable {
  struct Webhook: Sendable {
    let body: Data
    let signature: String
    let contentType: String
    /// True where it was answered 200.
    let isAccepted: Bool

    var document: JSONValue { JSONValue(body) ?? .null }
    /// The status in it.
    var status: JSONValue? { document.change?["statuses"]?.first }
    /// The message in it.
    var message: JSONValue? { document.change?["messages"]?.first }

    /// Checks the signature without the sandbox's own code.
    func isSigned(with secret: String) -> Bool {
      let key = SymmetricKey(data: Data(secret.utf8))
      let digits = HMAC<SHA256>.authenticationCode(for: body, using: key).map { byte in
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
      }
      return signature == "sha256=" + digits.joined()
    }
  }

  private let received = Locked<[Webhook]>([])
  private let refusals: Locked<Int>
  private let port = Locked<Int?>(nil)

  private init(refusing count: Int) { refusals = Locked(count) }

  /// In the order of arrival.
  var all: [Webhook] { received.value }
  /// Those that were answered 200.
  var accepted: [Webhook] { received.value.filter { $0.isAccepted } }
  var url: String { "http://127.0.0.1:\(port.value ?? 0)/webhook" }

  /// Runs a receiver while `body` runs.
  ///
  /// - Parameter count: how many posts are answered 503 first.
  static func with(refusing count: Int = 0, _ body: (WebhookReceiver) async throws -> Void) async throws {
    let receiver = WebhookReceiver(refusing: count)
    let router = Router()
    router.post("/webhook") { request, _ in try await receiver.receive(request) }
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil),
      onServerRunning: { channel in
        let port = channel.localAddress?.port
        receiver.port.change { $0 = port }
      }, logger: silentLogger)
    let running = Task { try await application.run() }
    defer { running.cancel() }
    try await eventually("the receiver listens") { receiver.port.value != nil }
    try await body(receiver)
  }

  /// Waits until `count` webhooks were answered 200.
  func wait(for count: Int) async throws {
    try await eventually(within: .seconds(20), "\(count) webhooks were accepted") { accepted.count >= count }
  }

  private func receive(_ request: Request) async throws -> Response {
    let buffer = try await request.body.collect(upTo: 1 << 20)
    let signature = HTTPField.Name("X-Hub-Signature-256").flatMap { request.headers[$0] } ?? ""
    let isRefused = refusals.change { count in
      guard count > 0 else { return false }
      count -= 1
      return true
    }
    let webhook = Webhook(
      body: Data(buffer.readableBytesView), signature: signature, contentType: request.headers[.contentType] ?? "",
      isAccepted: !isRefused)
    received.change { $0.append(webhook) }
    return Response(status: isRefused ? .serviceUnavailable : .ok)
  }
}
