import Curl
import Foundation
import Postgres
import TestPlatform
import Testing

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

  /// WhatsApp's id of the message with this notification.
  func wamid(of notification: String, about booking: UUID) async throws -> String {
    let rows = try await pool.query(
      "SELECT wamid FROM messaging.message WHERE booking_id = \(booking) AND notification = \(notification)")
    return try rows[0].decode(0)
  }

  func isAttendanceConfirmed(of booking: UUID) async throws -> Bool {
    try await number(
      "SELECT count(*) FROM bookings.booking WHERE id = \(booking) AND attendance_confirmed_at IS NOT NULL") == 1
  }
}
