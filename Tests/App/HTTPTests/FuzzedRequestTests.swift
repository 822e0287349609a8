import Foundation
import HTTPTypes
import Hummingbird
import Jobs
import Postgres
import TestServers
import Testing

@testable import HTTP

/// Requests drawn from seeds, sent through the router with a broker that takes everything and no database.
struct FuzzedRequestTests {
  private struct TakingBroker: JobBroker {
    let enqueued = Locked<[JobKind]>([])
    var isReady: Bool { true }

    func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
      enqueued.change { $0 += jobs.map(\.envelope.kind) }
      return jobs.map { _ in .enqueued }
    }

    func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
      preconditionFailure("a front consumes nothing")
    }
    func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
      preconditionFailure("a front consumes nothing")
    }
  }

  private static let kinds: [JobKind] = ["booking.validate", "booking.cancel", "booking.reschedule", "whatsapp.event"]

  private struct Fuzzer {
    var random: SeededRandom

    mutating func pick<Value>(_ values: [Value]) -> Value { values[.random(in: 0..<values.count, using: &random)] }
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private static let oddTexts = [
      "", " ", "null", "0", "-1", "1e99", "\u{0}", "\u{7f}", "\u{202e}", "٣", "💥", "../..", "%00", "%", "{{1}}", "'--",
      "\"",
      "${x}", String(repeating: "a", count: 5_000), "a" + String(repeating: "\u{301}", count: 2_000),
      "2026-02-30T00:00:00Z", "9999-99-99T99:99:99+99:99", "00000000-0000-0000-0000-000000000000",
    ]

    mutating func text(_ right: [String]) -> String { pick(chance(70) ? right : Self.oddTexts) }

    mutating func value(_ right: [String]) -> String {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: pick(["null", "true", "1", "[]", "{}", "[[[]]]", "-0.0e0", ""])
      default: "\"\(text(right).replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
      }
    }

    mutating func body(_ ids: [String]) -> String {
      var fields: [String] = []
      if chance(90) { fields.append("\"service_id\": \(value(ids))") }
      if chance(90) { fields.append("\"professional_id\": \(value(ids))") }
      if chance(90) { fields.append("\"starts_at\": \(value(["2030-01-01T10:00:00Z", "2030-01-01T10:00:00-03:00"]))") }
      if chance(90) {
        fields.append(
          "\"customer\": {\"name\": \(value(["Maria", "José"])), \"phone\": \(value(["+5511987654321", "(11) 98765-4321"]))}"
        )
      }
      if chance(10), let first = fields.first { fields.append(first) }
      var text = "{\(fields.joined(separator: pick([",", ", ", ",\n", ",,"])))\(pick(["", "", "", ",", "}"]))}"
      if chance(10) { text = String(text.prefix(.random(in: 0...text.count, using: &random))) }
      return text
    }
  }

  @Test(arguments: 0..<10)
  func `no request of two hundred makes the front fail, and every refusal says why`(_ seed: UInt64) async throws {
    let broker = TakingBroker()
    let router = Router(context: BasicRequestContext.self)
    let routes = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0, PoolName(rawValue: $0.rawValue)) })
    let nowhere = PostgresConnectionPool(try PostgresConfiguration(url: "postgres://x:y@127.0.0.1:1/z"), size: 2)
    APIRoutes(
      broker: broker, routes: routes, stores: nowhere, readConnections: 2, redis: nil,
      whatsApp: WhatsAppSecrets(appSecret: "secret", verifyToken: "token")
    ).add(to: router)
    var fuzzer = Fuzzer(random: SeededRandom(seed: seed))
    let ids = [UUID().uuidString, "3f0c2a1e-8d5b-7c44-9e3a-0123456789ab"]
    var accepted = 0
    for _ in 0..<200 {
      let path = fuzzer.pick([
        "/v1/bookings", "/v1/bookings", "/v1/bookings/\(fuzzer.pick(ids))",
        "/v1/bookings/\(fuzzer.pick(ids))/reschedule",
        "/v1/availability?service_id=\(fuzzer.pick(ids))&from=x&to=2030-01-01T10:00:00Z", "/v1/reports/day?date=%F0%9F",
        "/v1/reports/week", "/webhooks/whatsapp", "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1", "/v1/x",
        "/v1//",
      ])
      let method = fuzzer.pick([HTTPRequest.Method.post, .post, .post, .get, .delete, .put, .head, .patch])
      var headers: HTTPFields = [:]
      if fuzzer.chance(90) { headers[try #require(.init("Vluma-Business"))] = fuzzer.pick([ids[0], ids[0], "x", ""]) }
      if fuzzer.chance(90) {
        headers[.contentType] = fuzzer.pick(["application/json", "application/json", "text/plain", ";"])
      }
      if fuzzer.chance(10) { headers[.contentEncoding] = fuzzer.pick(["gzip", "identity", ","]) }
      if fuzzer.chance(20) { headers[try #require(.init("Idempotency-Key"))] = fuzzer.pick(["k", "\"k\"", "\"", "é"]) }
      if fuzzer.chance(20) {
        headers[try #require(.init("X-Hub-Signature-256"))] = fuzzer.pick(["sha256=", "sha1=00", "x"])
      }
      let answer = try await router.send(method, path, headers: headers, body: fuzzer.body(ids))
      let isRead = method == .get || method == .head
      // Reads need the database, which is not there.
      #expect(answer.status.code < 500 || (isRead && answer.status.code == 503), "\(method) \(path): \(answer)")
      if answer.status.code >= 400 {
        #expect(answer.headers[.contentType] == "application/problem+json", "\(method) \(path): \(answer)")
      }
      if answer.status == .accepted { accepted += 1 }
    }
    #expect(broker.enqueued.value.count == accepted)
    await nowhere.close()
  }
}
