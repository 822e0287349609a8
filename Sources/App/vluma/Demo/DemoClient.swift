import Curl
import Foundation

/// The demo's customers, who use the HTTP API only.
struct DemoClient: Sendable {
  /// A booking as the API shows it.
  struct View: Sendable, Decodable {
    struct Change: Sendable, Decodable { let outcome: String }
    let id: UUID
    let status: String
    let reasons: [String]?
    let lastChange: Change?
    let customerConfirmedAt: String?
  }

  let base: String
  let business: UUID
  private let http = CurlClient()

  init(base: String, business: UUID) {
    self.base = base
    self.business = business
  }

  /// How long a customer repeats a request that is answered 503 or not at all.
  static let retryTimeout = Duration.seconds(120)

  /// Sends a request; where it is answered 503 or not at all, sends it again until ``retryTimeout`` has passed.
  ///
  /// - Returns: the status (0: no answer), the booking's id where there is one, and how often it was sent again.
  func post(_ body: String, key: String?) async throws -> (status: Int, id: UUID?, unanswered: Int) {
    var headers = [("Content-Type", "application/json")]
    if let key { headers.append(("Idempotency-Key", "\"\(key)\"")) }
    return try await sendUntilAnswered("POST", "/v1/bookings", headers, Data(body.utf8))
  }

  func cancel(_ id: UUID) async throws -> Int {
    try await sendUntilAnswered("DELETE", "/v1/bookings/\(id)", [], nil).status
  }

  func move(_ id: UUID, to startsAt: Date) async throws -> Int {
    let body = Data(#"{"starts_at": "\#(startsAt.formatted(.iso8601))"}"#.utf8)
    return try await sendUntilAnswered(
      "POST", "/v1/bookings/\(id)/reschedule", [("Content-Type", "application/json")], body
    )
    .status
  }

  /// A booking's current state; nil where the request failed.
  func view(_ id: UUID) async -> View? {
    guard let response = try? await send("GET", "/v1/bookings/\(id)", [], nil), response.status == 200 else {
      return nil
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(View.self, from: response.body)
  }

  private func sendUntilAnswered(
    _ method: String, _ path: String, _ headers: [(String, String)], _ body: Data?
  ) async throws -> (status: Int, id: UUID?, unanswered: Int) {
    let end = ContinuousClock.now + Self.retryTimeout
    var unanswered = 0
    while true {
      let response = try? await send(method, path, headers, body)
      if let response, response.status != 503 || .now > end {
        let id = response.header("location").flatMap { $0.split(separator: "/").last }.flatMap {
          UUID(uuidString: String($0))
        }
        return (response.status, id, unanswered)
      }
      if .now > end { return (0, nil, unanswered) }
      unanswered += 1
      try await Task.sleep(for: .seconds(1))
    }
  }

  private func send(_ method: String, _ path: String, _ headers: [(String, String)], _ body: Data?) async throws
    -> CurlResponse
  {
    let all = headers.map { (name: $0.0, value: $0.1) } + [("Vluma-Business", "\(business)")]
    return try await http.send(CurlRequest(method, base + path, headers: all, body: body, timeout: .seconds(10)))
  }
}
