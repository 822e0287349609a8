import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// The HTTP API on real servers: what it accepts, what it refuses and how.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct BookingAPITests {
  private struct Problem: Decodable {
    struct Field: Decodable { let pointer: String }
    let status: Int
    let title: String
    let detail: String
    let errors: [Field]?
  }

  private func problem(_ response: CurlResponse) throws -> Problem {
    #expect(response.header("content-type") == "application/problem+json")
    let problem = try JSONDecoder().decode(Problem.self, from: response.body)
    #expect(problem.status == response.status)
    return problem
  }

  @Test func `invalid input gets the right status, names its fields, and has no effect`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let url = "\(address)/v1/bookings"
      func refusal(_ body: String) async throws -> Problem {
        try problem(try await platform.request("POST", url, body: body))
      }
      for broken in [
        "", "{", "nonsense", "\"text\"", "[]", "null", "{\"a\":1}}", String(repeating: "[", count: 60_000),
      ] {
        #expect(try await refusal(broken).status == 400, "\(broken.prefix(20))")
      }
      let missing = try await refusal("{}")
      #expect(missing.status == 422)
      #expect(
        Set(missing.errors?.map(\.pointer) ?? []) == ["/service_id", "/professional_id", "/starts_at", "/customer"])
      let wrong = try await refusal(
        """
        {"service_id": 5, "professional_id": "x", "starts_at": "tomorrow", "customer": {"name": "", "phone": "11 98765"}}
        """)
      #expect(wrong.status == 422)
      #expect(wrong.errors?.count == 5)
      for instant in [
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T10:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24",
        "1e99",
        "2026-11-24T10:00:00", "2026-11-24T10:00:00.5Z", "-2026-11-24T10:00:00Z",
      ] {
        let body = """
          {"service_id": "\(UUID())", "professional_id": "\(UUID())", "starts_at": "\(instant)",
           "customer": {"name": "M", "phone": "+5511987654321"}}
          """
        #expect(try await refusal(body).errors?.map(\.pointer) == ["/starts_at"], "\(instant)")
      }
      let control = """
        {"service_id": "\(UUID())", "professional_id": "\(UUID())", "starts_at": "2030-01-01T10:00:00Z",
         "customer": {"name": "a\\u0000b", "phone": "+5511987654321"}}
        """
      #expect(try await refusal(control).errors?.map(\.pointer) == ["/customer/name"])
      #expect(try await refusal(String(repeating: " ", count: 10_000_000)).status == 413)
      #expect(try await platform.request("GET", "\(address)/nowhere").status == 404)
      #expect(try await platform.request("GET", "\(url)/no-uuid").status == 404)
      #expect(try await platform.request("DELETE", "\(url)/no-uuid").status == 404)
      #expect(ingest.isRunning)
      #expect(try await platform.book(0, at: address)?.status == 202)
      #expect(!ingest.output.contains("ERROR"))
    }
  }

  @Test func `a request names its business and its type`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let http = CurlClient()
      let body = Data("{}".utf8)
      let json = (name: "Content-Type", value: "application/json")
      let nameless = try await http.send(CurlRequest("POST", "\(address)/v1/bookings", headers: [json], body: body))
      #expect(try problem(nameless).errors?.map(\.pointer) == ["header:Vluma-Business"])
      #expect(nameless.status == 400)
      let business = (name: "Vluma-Business", value: "\(platform.business)")
      let untyped = try await http.send(
        CurlRequest(
          "POST", "\(address)/v1/bookings", headers: [business, (name: "Content-Type", value: "text/plain")], body: body
        ))
      #expect(untyped.status == 415)
    }
  }

  @Test func `an idempotency key finds the same booking, and refuses another request`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let first = try #require(try await platform.book(0, at: address, key: "one")?.booking)
      let second = try #require(try await platform.book(0, at: address, key: "\"one\"")?.booking)
      #expect(first == second)
      #expect(try await platform.book(1, at: address, key: "one")?.status == 422)
      #expect(try await platform.book(1, at: address, key: String(repeating: "k", count: 256))?.status == 400)
      let other = try #require(try await platform.book(1, at: address, key: "two")?.booking)
      #expect(other != first)
      try await platform.waitForBooking(first, status: "confirmed")
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM bookings.booking") == 2)
    }
  }

  @Test func `an accepted booking is queued until a worker decides, then confirmed, moved, cancelled`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      func view(_ id: UUID) async throws -> (status: Int, text: String) {
        let response = try await platform.request("GET", "\(address)/v1/bookings/\(id)")
        return (response.status, String(decoding: response.body, as: UTF8.self))
      }
      let unknown = try await platform.request("GET", "\(address)/v1/bookings/\(UUID())")
      #expect(unknown.status == 404)
      #expect(unknown.header("retry-after") == "1")
      let booking = try #require(try await platform.book(3, at: address)?.booking)
      #expect(try await view(booking).text.contains("\"queued\""))
      try await platform.startWorker()
      try await eventually("it is confirmed") { try await view(booking).text.contains("\"confirmed\"") }
      let rival = try #require(try await platform.book(3, at: address)?.booking)
      try await eventually("the rival is rejected with alternatives") {
        let text = try await view(rival).text
        return text.contains("slot_taken") && text.contains("alternatives\":[{")
      }
      let move = #"{"starts_at": "\#(platform.slot(4).formatted(.iso8601))"}"#
      #expect(
        try await platform.request("POST", "\(address)/v1/bookings/\(booking)/reschedule", body: move).status == 202)
      try await eventually("it is moved") { try await view(booking).text.contains("\"applied\"") }
      let blocked = #"{"starts_at": "2020-01-01T00:00:00Z"}"#
      #expect(
        try await platform.request("POST", "\(address)/v1/bookings/\(booking)/reschedule", body: blocked).status == 202)
      try await eventually("a move into the past is refused and the booking stays") {
        let text = try await view(booking).text
        return text.contains("in_the_past") && text.contains("\"confirmed\"")
      }
      #expect(try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)").status == 202)
      try await platform.waitForBooking(booking, status: "cancelled")
      let again = try #require(try await platform.book(4, at: address)?.booking)
      try await platform.waitForBooking(again, status: "confirmed")
    }
  }

  @Test func `availability lists what can be booked`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let (from, to) = (platform.slot(0).formatted(.iso8601), platform.slot(4).formatted(.iso8601))
      let query = "service_id=\(platform.service)&professional_id=\(platform.professional)&from=\(from)&to=\(to)"
      func slots() async throws -> Int {
        let response = try await platform.request("GET", "\(address)/v1/availability?\(query)")
        #expect(response.status == 200)
        return String(decoding: response.body, as: UTF8.self).components(separatedBy: "starts_at").count - 1
      }
      #expect(try await slots() == 4)
      let booking = try #require(try await platform.book(2, at: address)?.booking)
      try await platform.waitForBooking(booking, status: "confirmed")
      #expect(try await slots() == 3)
      let bad = try await platform.request("GET", "\(address)/v1/availability?service_id=1&from=\(to)&to=\(from)")
      #expect(bad.status == 422)
      #expect(try problem(bad).errors?.count == 2)
    }
  }

  @Test func `without PostgreSQL bookings are still accepted, and reads are answered 503`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.postgresProxy = proxy
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      proxy.refuseNew()
      proxy.cutAll()
      let answer = try await platform.book(0, at: address)
      #expect(answer?.status == 202)
      let booking = try #require(answer?.booking)
      let read = try await platform.request("GET", "\(address)/v1/bookings/\(booking)")
      #expect(read.status == 503)
      #expect(read.header("retry-after") != nil)
      proxy.acceptNew()
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
    }
  }

  @Test
  func `ingest started while PostgreSQL and Redis are unreachable accepts bookings, and they are completed later`()
    async throws
  {
    let (postgres, redis) = (try TestEnvironment.postgres().proxy(), try TestEnvironment.redis().proxy())
    defer {
      postgres.stop()
      redis.stop()
    }
    var setup = Platform.Setup()
    (setup.postgresProxy, setup.redisProxy) = (postgres, redis)
    try await Platform.with(setup) { platform in
      postgres.refuseNew()
      redis.refuseNew()
      let (ingest, address) = try await platform.startIngest()
      #expect(ingest.output.contains("starting without PostgreSQL"))
      try await eventually("ingest says so") { ingest.output.contains("Redis cannot be used; working without it") }
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      postgres.acceptNew()
      let worker = try await platform.startWorker()
      try await eventually("the worker says so") { worker.output.contains("Redis cannot be used; working without it") }
      try await platform.waitForBooking(booking, status: "confirmed")
      #expect(try await platform.request("GET", "\(address)/v1/bookings/\(booking)").status == 200)
      redis.acceptNew()
      try await eventually(within: .seconds(20), "Redis is used again") { redis.bytesFromClient > 0 }
    }
  }

  @Test func `a broker that does not answer is a 503 within bounded time, and bookings are accepted again afterwards`()
    async throws
  {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.rabbitMQProxy = proxy
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      #expect(try await platform.book(0, at: address)?.status == 202)
      proxy.freeze()
      let frozen = ContinuousClock.now
      #expect(try await platform.book(1, at: address)?.status == 503)
      #expect(.now - frozen < .seconds(6))
      proxy.unfreeze()
      proxy.refuseNew()
      proxy.cutAll()
      let cut = ContinuousClock.now
      #expect(try await platform.book(2, at: address)?.status == 503)
      #expect(.now - cut < .seconds(6))
      proxy.acceptNew()
      try await eventually(within: .seconds(20), "bookings are accepted again") {
        try await platform.book(3, at: address)?.status == 202
      }
    }
  }
}
