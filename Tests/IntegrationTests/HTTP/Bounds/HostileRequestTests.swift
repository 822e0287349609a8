import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// Requests of clients that mean harm, or know no better.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct HostileRequestTests {
  @Test func `fifty equal requests with one key at once are one booking`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let answers = try await withThrowingTaskGroup(of: UUID?.self) { group in
        for _ in 0..<50 {
          group.addTask {
            let answer = try await platform.book(0, at: address, key: "one")
            #expect(answer?.status == 202)
            return answer?.booking
          }
        }
        return try await group.reduce(into: [UUID]()) { ids, id in if let id { ids.append(id) } }
      }
      #expect(answers.count == 50)
      #expect(Set(answers).count == 1)
      let booking = try #require(answers.first)
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM bookings.booking") == 1)
      #expect(try await platform.number("SELECT count(*) FROM effect WHERE what = 'confirmed'") == 1)
    }
  }

  @Test func `a business sees and changes its own bookings only, and an invented one leaves nothing in the reports`()
    async throws
  {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let http = CurlClient()
      func send(_ method: String, _ path: String, as business: UUID, _ body: String? = nil) async throws -> CurlResponse
      {
        try await http.send(
          CurlRequest(
            method, "\(address)\(path)",
            headers: [
              (name: "Vluma-Business", value: "\(business)"), (name: "Content-Type", value: "application/json"),
            ], body: body.map { Data($0.utf8) }, timeout: .seconds(10)))
      }
      let booking = try #require(try await platform.book(0, at: address, key: "k")?.booking)
      try await platform.waitForBooking(booking, status: "confirmed")
      let stranger = UUID()
      #expect(try await send("GET", "/v1/bookings/\(booking)", as: stranger).status == 404)
      #expect(try await send("GET", "/v1/reports/day", as: stranger).status == 404)
      let range = "from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z"
      let query = "service_id=\(platform.service)&professional_id=\(platform.professional)&\(range)"
      #expect(try await send("GET", "/v1/availability?\(query)", as: stranger).status == 404)
      #expect(try await send("DELETE", "/v1/bookings/\(booking)", as: stranger).status == 202)
      let move = "{\"starts_at\": \"\(platform.slot(1).formatted(.iso8601))\"}"
      #expect(try await send("POST", "/v1/bookings/\(booking)/reschedule", as: stranger, move).status == 202)
      // Strangers' bookings of the same slot and key: bookings of their own, and refused.
      for _ in 0..<30 {
        let body = """
          {"service_id": "\(platform.service)", "professional_id": "\(platform.professional)",
           "starts_at": "\(platform.slot(1).formatted(.iso8601))", "customer": {"name": "Eva", "phone": "+5511987654321"}}
          """
        let answer = try await send("POST", "/v1/bookings", as: UUID(), body)
        #expect(answer.status == 202)
        #expect(answer.header("location")?.hasSuffix(booking.uuidString.lowercased()) == false)
      }
      try await eventually(within: .seconds(20), "the strangers' bookings are refused") {
        try await platform.number("SELECT count(*) FROM bookings.booking WHERE status = 'rejected'") == 30
      }
      #expect(try await platform.status(of: booking) == "confirmed")
      #expect(
        try await platform.number("SELECT count(*) FROM bookings.claim WHERE booking_id = \(booking)") == 1)
      try await eventually(within: .seconds(20), "the reports have them") {
        try await platform.number(
          "SELECT coalesce(sum(count), 0)::bigint FROM reports.rollup_day WHERE metric = 'booking.rejected'") == 30
      }
      #expect(
        try await platform.number(
          """
          SELECT count(*) FROM reports.rollup_minute
          WHERE business_id NOT IN ('00000000-0000-0000-0000-000000000000', \(platform.business))
          """) == 0)
    }
  }

  /// A signed body as nobody sends one, drawn from a seed.
  private static func body(_ random: inout SeededRandom) -> Data {
    let scraps = [
      "{", "}", "[", "]", ",", ":", "\"", "null", "1e999", "-", "\"entry\"", "\"changes\"", "\"value\"", "\"messages\"",
      "\"field\"", "\"id\"", "\"\\u0000\"", "\"\\ud800\"", "\"wamid.1\"", "\u{0}", "\u{feff}", "é", "💥", "\\", " ",
    ]
    let whole =
      #"{"entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"2"},"contacts":[{"wa_id":"5511"}],"messages":[{"id":"wamid.1","from":"5511","timestamp":"1795414356","type":"text"}],"statuses":[{"id":"wamid.2","status":"sent","timestamp":"x","recipient_id":"1"}]}}]}]}"#
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      return Data(
        (0..<Int.random(in: 0...40, using: &random)).compactMap { _ in scraps.randomElement(using: &random) }.joined()
          .utf8)
    case 1:
      return Data((0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    case 2: return Data(Array(whole.utf8).prefix(.random(in: 0...whole.utf8.count, using: &random)))
    default:
      var bytes = Array(whole.utf8)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes.replaceSubrange(index..<(index + 1), with: Array((scraps.randomElement(using: &random) ?? "").utf8))
      }
      return Data(bytes)
    }
  }

  @Test func `four hundred hostile bodies with a valid signature are taken, stored, and told of once a minute`()
    async throws
  {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let worker = try await platform.startWorker()
      var random = SeededRandom(seed: 11)
      let bodies = (0..<400).map { _ in Self.body(&random) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<8 {
          group.addTask {
            for index in stride(from: lane, to: bodies.count, by: 8) {
              let answer = try await platform.webhook(bodies[index], at: address)
              #expect(answer.status == 200, "body \(index)")
            }
          }
        }
        try await group.waitForAll()
      }
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      #expect(
        try await platform.number("SELECT count(*) FROM jobs.receipt WHERE kind = 'whatsapp.event'") == bodies.count)
      #expect(worker.isRunning)
      let warnings = worker.output.split(separator: "\n").filter { $0.contains("could not be read") }
      #expect((1...2).contains(warnings.count), "\(warnings)")
      let metrics = String(
        decoding: try await platform.request("GET", "\(try await worker.address())/metrics").body, as: UTF8.self)
      #expect(metrics.contains("vluma_webhooks_unreadable_total{reason=\"unreadable\"}"))
    }
  }

  @Test func `a signed body of six thousand contacts and messages leaves the worker's probes answered`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let worker = try await platform.startWorker()
      let probe = "\(try await worker.address())/livez"
      let contacts = (0..<6_000).map { #"{"wa_id":"55119\#($0)","profile":{"name":"N"}}"# }.joined(separator: ",")
      for post in 0..<4 {
        let messages = (0..<6_000).map { #"{"id":"w.\#(post).\#($0)","from":"55119\#(5_999 - $0)","type":"text"}"# }
          .joined(separator: ",")
        let body =
          #"{"entry":[{"changes":[{"field":"messages","value":{"contacts":[\#(contacts)],"messages":[\#(messages)]}}]}]}"#
        #expect(try await platform.webhook(Data(body.utf8), at: address).status == 200)
      }
      try await eventually(within: .seconds(60), every: .milliseconds(20), "all are stored") {
        let start = ContinuousClock.now
        #expect(try await platform.request("GET", probe).status == 200)
        #expect(ContinuousClock.now - start < .seconds(3))
        return try await platform.number("SELECT count(*) FROM messaging.inbound_message") == 24_000
      }
    }
  }
}
