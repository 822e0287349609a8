import Curl
import Foundation

/// The customers' phones, which the WhatsApp sandbox plays: messages that arrived, and buttons to press.
struct DemoWhatsAppClient: Sendable {
  /// A message that the clinic sent, and how the sandbox answered.
  struct Message: Decodable, Sendable {
    let wamid: String?
    let to: String
    let template: String?
    let callback: String?
    let phoneNumberId: String
    let code: Int?
    let accepted: Bool
    let statuses: [String]
    let payloads: [String]
  }

  let base: String
  /// WhatsApp's id of the clinic's number.
  let number: String
  private let http = CurlClient()

  init(base: String, number: String) {
    self.base = base
    self.number = number
  }

  /// All messages that the clinic tried to send, in order.
  func messages() async throws -> [Message] {
    let response = try await http.send(
      CurlRequest("GET", "\(base)/sandbox/messages", responseBytesMax: 64 << 20))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode([Message].self, from: response.body).filter { $0.phoneNumberId == number }
  }

  /// Presses a button of a message as the customer.
  func press(_ payload: String, of message: Message) async throws {
    let body: [String: Any] = [
      "phone_number_id": number, "from": message.to, "name": "Cliente", "context": message.wamid ?? "",
      "button": ["payload": payload, "text": payload.hasPrefix("confirm") ? "Confirmar" : "Cancelar"],
    ]
    let response = try await http.send(
      CurlRequest(
        "POST", "\(base)/sandbox/inbound", headers: [(name: "Content-Type", value: "application/json")],
        body: try JSONSerialization.data(withJSONObject: body)))
    guard response.status == 202 else { throw UnexpectedStatus(status: response.status) }
  }

  /// Sends a text as a customer. Its webhook shows that webhooks get through, which decides messages in doubt.
  func sendText(_ text: String) async throws {
    let body: [String: Any] = ["phone_number_id": number, "from": "5511999990000", "name": "Cliente", "text": text]
    _ = try await http.send(
      CurlRequest(
        "POST", "\(base)/sandbox/inbound", headers: [(name: "Content-Type", value: "application/json")],
        body: try JSONSerialization.data(withJSONObject: body)))
  }

  struct UnexpectedStatus: Error, CustomStringConvertible {
    let status: Int
    var description: String { "the WhatsApp sandbox answered \(status)" }
  }
}
