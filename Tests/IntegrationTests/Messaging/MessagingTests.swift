import Curl
import Foundation
import Postgres
import TestPlatform
import Testing
import WhatsAppSandbox

/// What becomes of messages and webhooks, and what operators see of it. One platform at a time: each has processes of
/// its own.
@Suite(.serialized, .timeLimit(.minutes(3)))
enum MessagingTests {}

/// Runs a platform with the stand-in for WhatsApp, its front and one worker for the length of `body`.
func withMessaging(
  _ setup: Platform.Setup = .init(), _ body: (Platform, SandboxHost, String) async throws -> Void
) async throws {
  var setup = setup
  if setup.sandbox == nil { setup.sandbox = .quick }
  try await Platform.with(setup) { platform in
    let sandbox = try #require(platform.sandbox)
    let (_, address) = try await platform.startIngest()
    try await platform.startWorker()
    try await body(platform, sandbox, address)
  }
}

extension Platform {
  /// The number of the customer who usually books.
  static let customer = "5511987654321"

  /// Books a slot for the customer with that number, which is digits with the country code.
  func newBooking(_ index: Int, at address: String, for number: String = Platform.customer) async throws -> UUID {
    let body = """
      {"service_id": "\(service)", "professional_id": "\(professional)",
       "starts_at": "\(slot(index).formatted(.iso8601))", "customer": {"name": "Maria", "phone": "+\(number)"}}
      """
    let response = try await request("POST", "\(address)/v1/bookings", body: body)
    let id = response.header("location").flatMap { $0.split(separator: "/").last }.flatMap {
      UUID(uuidString: String($0))
    }
    return try #require(id, "HTTP \(response.status)")
  }

  /// WhatsApp's id of the message that told of this.
  func wamid(of notification: String, about booking: UUID) async throws -> String {
    let rows = try await pool.query(
      "SELECT wamid FROM messaging.message WHERE booking_id = \(booking) AND notification = \(notification)")
    return try rows[0].decode(0)
  }

  /// True where the customer has said that they will come.
  func isAttendanceConfirmed(of booking: UUID) async throws -> Bool {
    try await number(
      "SELECT count(*) FROM bookings.booking WHERE id = \(booking) AND attendance_confirmed_at IS NOT NULL") == 1
  }
}

/// Webhooks of the provider's management, as it writes them.
enum ManagementWebhook {
  /// The business account they are about.
  static let account = "102290129340398"

  /// The account is banned (`DISABLE`), or no more (`REINSTATE`).
  static func ban(_ state: String, at instant: Date) -> Data {
    let value = #"{"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "\#(state)"}}"#
    return change("account_update", value, at: instant)
  }

  /// A template of ours may be used (`APPROVED`), or not (`PAUSED`).
  static func template(_ name: String, _ event: String, at instant: Date) -> Data {
    let value = """
      {"event": "\(event)", "message_template_id": 1689556908129832, "message_template_name": "\(name)",
       "message_template_language": "pt_BR", "reason": "NONE"}
      """
    return change("message_template_status_update", value, at: instant)
  }

  private static func change(_ field: String, _ value: String, at instant: Date) -> Data {
    Data(
      """
      {"object": "whatsapp_business_account", "entry": [
        {"id": "\(account)", "time": \(Int(instant.timeIntervalSince1970)),
         "changes": [{"field": "\(field)", "value": \(value)}]}]}
      """.utf8)
  }
}
