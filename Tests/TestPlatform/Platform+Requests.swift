package import Curl
package import Foundation
package import Postgres
import TestServers
import WhatsApp

/// Requests of customers and providers, and the rows in the database.
extension Platform {
  /// The start of a slot of the professional, from tomorrow on.
  package func slot(_ index: Int) -> Date {
    let tomorrow = (Date().timeIntervalSince1970 / 86_400).rounded(.up) * 86_400
    return Date(timeIntervalSince1970: tomorrow + TimeInterval(index) * 1_800)
  }

  /// The answer to a request for a booking.
  package struct BookingRequestResult: Sendable {
    /// 0: the request did not reach the server.
    package let status: Int
    /// The accepted booking, or the earlier one of the same key.
    package let booking: UUID?
    /// True where the server does not know whether the request was accepted.
    package let isInDoubt: Bool
  }

  /// Requests a slot over HTTP; nil: there was no answer, and the server may have read the request.
  package func book(
    _ index: Int, at address: String, key: String? = nil, customer: String = "Maria"
  ) async throws -> BookingRequestResult? {
    let body = """
      {"service_id": "\(service)", "professional_id": "\(professional)", "starts_at": "\(slot(index).formatted(.iso8601))",
       "customer": {"name": "\(customer)", "phone": "+5511987654321"}}
      """
    var headers = [(name: "Vluma-Business", value: "\(business)"), (name: "Content-Type", value: "application/json")]
    if let key { headers.append((name: "Idempotency-Key", value: key)) }
    let request = CurlRequest(
      "POST", "\(address)/v1/bookings", headers: headers, body: Data(body.utf8), timeout: .seconds(10))
    let response: CurlResponse
    do { response = try await http.send(request) } catch let error as CurlError {
      return error.mayHaveBeenWritten ? nil : BookingRequestResult(status: 0, booking: nil, isInDoubt: false)
    }
    let id = response.header("location").flatMap { $0.split(separator: "/").last }.flatMap {
      UUID(uuidString: String($0))
    }
    let isInDoubt = String(decoding: response.body, as: UTF8.self).contains("it is not known")
    return BookingRequestResult(status: response.status, booking: id, isInDoubt: response.status == 503 && isInDoubt)
  }

  /// Posts a webhook as the provider does; `signature` nil: the right one.
  package func webhook(_ body: Data, at address: String, signature: String? = nil) async throws -> CurlResponse {
    let signature = signature ?? WebhookSignature.value(for: body, secret: Self.appSecret)
    let headers = [
      (name: "Content-Type", value: "application/json"), (name: WebhookSignature.header, value: signature),
    ]
    return try await http.send(
      CurlRequest(
        "POST", "\(address)/webhooks/whatsapp", headers: headers, body: body, timeout: .seconds(20)))
  }

  /// The state of the messages about a booking, by notification.
  package func messages(of booking: UUID) async throws -> [String: String] {
    var states: [String: String] = [:]
    for row in try await pool.query("SELECT notification, state FROM messaging.message WHERE booking_id = \(booking)") {
      states[try row.decode(0)] = try row.decode(1, as: String.self)
    }
    return states
  }

  /// Waits until the message of this kind about a booking has the state.
  package func waitForMessage(
    _ notification: String, state: String, about booking: UUID, within limit: Duration = .seconds(20)
  ) async throws {
    try await eventually(within: limit, "the message \(notification) about booking \(booking) is \(state)") {
      try await self.messages(of: booking)[notification] == state
    }
  }

  package func request(_ method: String, _ url: String, body: String? = nil) async throws -> CurlResponse {
    let headers = [(name: "Vluma-Business", value: "\(business)"), (name: "Content-Type", value: "application/json")]
    return try await http.send(
      CurlRequest(method, url, headers: headers, body: body.map { Data($0.utf8) }, timeout: .seconds(10)))
  }

  package func number(_ query: PostgresQuery) async throws -> Int { try await pool.query(query)[0].decode(0) }

  /// The open dead letters: pool, attempts, reason and detail of each.
  package func deadLetters() async throws -> [String] {
    try await pool.query(
      "SELECT pool || ', attempt ' || attempts || ': ' || reason || ': ' || detail FROM jobs.dead_letter WHERE state = 'open'"
    )
    .map { try $0.decode(0) }
  }

  /// nil: the booking is not stored.
  package func status(of booking: UUID) async throws -> String? {
    try await pool.query("SELECT status FROM bookings.booking WHERE id = \(booking)").first.map { try $0.decode(0) }
  }

  package func waitForBooking(
    _ booking: UUID, status: String, within limit: Duration = .seconds(20)
  ) async throws {
    try await eventually(within: limit, "booking \(booking) is \(status)") {
      try await self.status(of: booking) == status
    }
  }
}
