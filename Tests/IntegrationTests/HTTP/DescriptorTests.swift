import Curl
import Foundation
import TestPlatform
import TestServers
import Testing

/// The process' limit of open files and connections.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct DescriptorTests {
  @Test
  func `ingest with 1,024 descriptors serves beside 1,100 idle clients, and every booking has an id of its own`()
    async throws
  {
    try await Platform.with { platform in
      try await platform.startWorker()
      let (ingest, address) = try await platform.startIngest(shell: "ulimit -n 1024")
      let port = try #require(URL(string: address)?.port)
      try await Crowd.begin()
      defer { Crowd.end() }
      let crowd = try (0..<1_100).map { _ in try RawConnection(port: port) }
      let crowdBefore = try await answers(of: 40, at: address, platform, from: 0)
      let moreIdle = try (0..<1_100).map { _ in try RawConnection(port: port) }
      let crowdAfter = try await answers(of: 40, at: address, platform, from: 40)
      withExtendedLifetime((crowd, moreIdle)) {}
      #expect(ingest.isRunning)
      let ids = crowdBefore + crowdAfter
      #expect(ids.count == 80)
      #expect(Set(ids).count == 80)
      for id in ids { try await platform.waitForBooking(id, status: "confirmed") }
    }
  }

  /// Books that many slots at once and returns the ids of those accepted.
  private func answers(of count: Int, at address: String, _ platform: Platform, from first: Int) async throws -> [UUID]
  {
    try await withThrowingTaskGroup(of: UUID?.self) { group in
      for index in 0..<count {
        group.addTask {
          let answer = try await platform.book(first + index, at: address)
          #expect(answer?.status == 202)
          return answer?.booking
        }
      }
      return try await group.reduce(into: []) { ids, id in if let id { ids.append(id) } }
    }
  }

  @Test
  func
    `ingest with 1,024 descriptors is alive and serving under 3,000 idle clients and load, and every booking is found`()
    async throws
  {
    try await Platform.with { platform in
      try await platform.startWorker()
      let (ingest, address) = try await platform.startIngest(shell: "ulimit -n 1024")
      let port = try #require(URL(string: address)?.port)
      try await Crowd.begin()
      defer { Crowd.end() }
      let crowd = Task.detached {
        try (0..<3_000).map { index in
          let connection = try RawConnection(port: port)
          // A third of them say something and stop.
          if index % 3 == 1 { try? connection.send("GET /v1/book") }
          return connection
        }
      }
      var ids: [UUID] = []
      for round in 0..<5 { ids += try await answers(of: 40, at: address, platform, from: round * 40) }
      let connections = try await crowd.value
      ids += try await answers(of: 40, at: address, platform, from: 200)
      withExtendedLifetime(connections) {}
      #expect(ingest.isRunning)
      #expect(ids.count == 240)
      #expect(Set(ids).count == 240)
      for id in ids { try await platform.waitForBooking(id, status: "confirmed") }
    }
  }

  @Test func `a client with a request under way is not disconnected in favour of idle ones`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest(shell: "ulimit -n 1024")
      let port = try #require(URL(string: address)?.port)
      try await Crowd.begin()
      defer { Crowd.end() }
      let slow = try RawConnection(port: port)
      try slow.send(
        "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nVluma-Business: \(platform.business)\r\n\r\n{"
      )
      let crowd = try (0..<1_200).map { _ in try RawConnection(port: port) }
      try await eventually(within: .seconds(10), "ingest answers") {
        (try? await platform.request("GET", "\(address)/livez"))?.status == 200
      }
      try slow.send("}")
      try await eventually(within: .seconds(10), "the slow request is answered") { slow.status() != nil }
      #expect(slow.status() == 422, "\(slow.received())")
      withExtendedLifetime(crowd) {}
    }
  }

  @Test(arguments: ["ingest", "work"])
  func `a start that would not leave enough descriptors is refused, and the line says what to raise`(_ role: String)
    async throws
  {
    try await Platform.with { platform in
      let process = try await platform.start([role], shell: "ulimit -n 40")
      #expect(try await process.ended() == 78)
      #expect(process.output.contains("ulimit -n"))
    }
  }

  @Test func `a soft limit below the hard one is raised at the start`() async throws {
    try await Platform.with { platform in
      let (ingest, _) = try await platform.startIngest(shell: "ulimit -S -n 64")
      let limits = try String(contentsOfFile: "/proc/\(ingest.processIdentifier)/limits", encoding: .utf8)
      let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      #expect(numbers.count == 2)
      #expect(numbers.first == numbers.last)
    }
  }
}
