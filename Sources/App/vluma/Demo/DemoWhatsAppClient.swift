import Curl
import Foundation

/// The customers' telephones: what arrived on them, and buttons to press. They are in the stand-in for WhatsApp.
struct DemoWhatsAppClient: Sendable {
  /// A message as WhatsApp decided on it.
  struct Message: Decodable, Sendable {
    let wamid: String?
    let to: String
    let template: String?
    let callback: String?
    let phone_number_id: String
    let code: Int?
    let accepted: Bool
    let statuses: [String]
    let payloads: [String]
  }

  let base: String
  /// The clinic's number at WhatsApp.
  let number: String
  private let http = CurlClient()

  init(base: String, number: String) {
    self.base = base
    self.number = number
  }

  /// All messages the clinic wanted to send, in order.
  func messages() async throws -> [Message] {
    let response = try await http.send(
      CurlRequest("GET", "\(base)/sandbox/messages", responseBytesMax: 64 << 20))
    return try JSONDecoder().decode([Message].self, from: response.body).filter { $0.phone_number_id == number }
  }

  /// A customer presses a button of a message.
  func press(_ payload: String, of message: Message) async throws {
    let body: [String: Any] = [
      "phone_number_id": number, "from": message.to, "name": "Cliente", "context": message.wamid ?? "",
      "button": ["payload": payload, "text": payload.hasPrefix("confirm") ? "Confirmar" : "Cancelar"],
    ]
    let response = try await http.send(
      CurlRequest(
        "POST", "\(base)/sandbox/inbound", headers: [(name: "Content-Type", value: "application/json")],
        body: try JSONSerialization.data(withJSONObject: body)))
    guard response.status == 202 else { throw Unanswered(status: response.status) }
  }

  /// A customer writes a few words. The provider's webhooks bring them, and so show that they get through: by that,
  /// what was not accepted is told from what was.
  func write(_ text: String) async throws {
    let body: [String: Any] = ["phone_number_id": number, "from": "5511999990000", "name": "Cliente", "text": text]
    _ = try await http.send(
      CurlRequest(
        "POST", "\(base)/sandbox/inbound", headers: [(name: "Content-Type", value: "application/json")],
        body: try JSONSerialization.data(withJSONObject: body)))
  }

  /// The stand-in did not do what it was asked to.
  struct Unanswered: Error, CustomStringConvertible {
    let status: Int
    var description: String { "the stand-in for WhatsApp answered \(status)" }
  }
}
