import Curl
import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// What one kind of request may take from the others.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct RequestBoundTests {
  private func get(_ path: String, business: UUID) -> String {
    "GET \(path) HTTP/1.1\r\nHost: x\r\nVluma-Business: \(business)\r\n\r\n"
  }

  @Test func `with PostgreSQL frozen a thousand reads take no place from bookings and webhooks, and it stays ready`()
    async throws
  {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.postgresProxy = proxy
    try await Platform.with(setup) { platform in
      let process = try await platform.start(["up"])
      let address = try await process.address()
      let port = try #require(URL(string: address)?.port)
      try await eventually(within: .seconds(20), "it is ready") {
        (try? await platform.request("GET", "\(address)/readyz"))?.status == 200
      }
      try await Crowd.begin()
      defer { Crowd.end() }
      proxy.freeze()
      let range = "from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z"
      let paths = [
        "/v1/availability?service_id=\(platform.service)&professional_id=\(platform.professional)&\(range)",
        "/v1/reports/day", "/v1/bookings/\(UUID())",
      ]
      let readers = try (0..<1_010).map { index in
        let reader = try RawConnection(port: port)
        try reader.send(get(paths[index % paths.count], business: platform.business))
        return reader
      }
      // For longer than the workers' lease lasts.
      let end = ContinuousClock.now + .seconds(7)
      var index = 0
      while ContinuousClock.now < end {
        let (booking, took) = try await Self.timed { try await platform.book(index, at: address) }
        #expect(booking?.status == 202)
        #expect(took < .seconds(3), "\(took)")
        #expect(try await platform.webhook(Data("{\"n\":\(index)}".utf8), at: address).status == 200)
        #expect(try await platform.request("GET", "\(address)/readyz").status == 200)
        index += 1
        try await Task.sleep(for: .milliseconds(50))
      }
      try await eventually(within: .seconds(10), "every read is answered 503") {
        readers.allSatisfy { $0.status() == 503 }
      }
      proxy.unfreeze()
      let last = try #require(try await platform.book(index, at: address)?.booking)
      try await platform.waitForBooking(last, status: "confirmed", within: .seconds(40))
      try await eventually(within: .seconds(10), "it reads again") {
        try await platform.request("GET", "\(address)/v1/bookings/\(last)").status == 200
      }
    }
  }

  private static func timed<Value>(_ body: () async throws -> Value) async rethrows -> (Value, Duration) {
    let start = ContinuousClock.now
    return (try await body(), ContinuousClock.now - start)
  }

  @Test func `three hundred scrapers cost the broker one connection more, and the process goes on`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.rabbitMQProxy = proxy
    try await Platform.with(setup) { platform in
      let (ingest, address) = try await platform.startIngest()
      let port = try #require(URL(string: address)?.port)
      try await eventually("it publishes") { try await platform.request("GET", "\(address)/readyz").status == 200 }
      try await Crowd.begin()
      defer { Crowd.end() }
      let before = proxy.connectionCount
      let scrapers = try (0..<300).map { _ in
        let scraper = try RawConnection(port: port)
        try scraper.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        return scraper
      }
      var most = 0
      try await eventually(within: .seconds(20), "all of them are answered") {
        most = max(most, proxy.connectionCount)
        return scrapers.allSatisfy { $0.status() != nil }
      }
      #expect(most <= before + 1)
      #expect(scrapers.allSatisfy { [200, 503].contains($0.status()) })
      #expect(scrapers.contains { $0.status() == 200 })
      #expect(ingest.isRunning)
      let page = try await platform.request("GET", "\(address)/metrics")
      #expect(page.status == 200)
      #expect(String(decoding: page.body, as: UTF8.self).contains("vluma_status_errors 0"))
    }
  }

  @Test func `a broker that is frozen is noticed within three and a half seconds, and so is its return`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.rabbitMQProxy = proxy
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      func isReady() async throws -> Bool { try await platform.request("GET", "\(address)/readyz").status == 200 }
      try await eventually("it is ready") { try await isReady() }
      // It stays ready while nothing is published.
      for _ in 0..<25 {
        #expect(try await isReady())
        try await Task.sleep(for: .milliseconds(100))
      }
      proxy.freeze()
      try await eventually(within: .milliseconds(3_500), every: .milliseconds(50), "it is not ready") {
        try await !isReady()
      }
      proxy.unfreeze()
      try await eventually(within: .seconds(5), "it is ready again") { try await isReady() }
    }
  }

  @Test func `a flood of cancellations for bookings that do not exist costs few looks, and delays no other business`()
    async throws
  {
    try await Platform.with { platform in
      let worker = try await platform.startWorker()
      let (_, address) = try await platform.startIngest()
      let http = CurlClient()
      let flooded = UUID()
      /// Ids as the front makes them: they may be on their way.
      func freshID() -> UUID {
        let time = String(UInt64(Date().timeIntervalSince1970 * 1_000), radix: 16)
        let digits = String(repeating: "0", count: 12 - time.count) + time
        let rest = UUID().uuidString.dropFirst(15)
        return UUID(uuidString: "\(digits.prefix(8))-\(digits.suffix(4))-7\(rest)") ?? UUID()
      }
      let ids = (0..<3_000).map { $0.isMultiple(of: 3) ? UUID() : freshID() }
      let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
        for lane in 0..<30 {
          group.addTask {
            var statuses: [Int] = []
            for index in stride(from: lane, to: ids.count, by: 30) {
              let request = CurlRequest(
                "DELETE", "\(address)/v1/bookings/\(ids[index])",
                headers: [(name: "Vluma-Business", value: "\(flooded)")], timeout: .seconds(10))
              statuses.append(try await http.send(request).status)
            }
            return statuses
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(Set(statuses).isSubset(of: [202, 429]), "\(Set(statuses))")
      let accepted = statuses.count { $0 == 202 }
      #expect(accepted >= 1_000)
      let begun = ContinuousClock.now
      for index in 0..<20 {
        let booking = try #require(try await platform.book(index, at: address)?.booking)
        try await platform.waitForBooking(booking, status: "confirmed")
      }
      // One after the other: a second for each at most. It was two to five.
      #expect(ContinuousClock.now - begun < .seconds(20))
      try await Task.sleep(until: max(begun + .seconds(12), .now))
      let metrics = String(
        decoding: try await platform.request("GET", "\(try await worker.address())/metrics").body, as: UTF8.self)
      func count(_ outcome: String) throws -> Int {
        let name =
          "vluma_jobs_processed_total{pool=\"\(platform.resolvePool)\",kind=\"booking.cancel\",outcome=\"\(outcome)\"} "
        return metrics.split(separator: "\n").first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) }
          ?? 0
      }
      // Ids that nobody makes are looked for once.
      #expect(try count("cancelled") >= accepted / 4)
      // The others at 0, 1, 2, 4 and 8 s; it was once a second.
      let looks = try count("snoozed")
      #expect(looks <= accepted * 2 / 3 * 6, "\(looks) of \(accepted)")
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
    }
  }
}
