import Curl
import Foundation
import TestPlatform
import TestServers
import Testing
import WhatsApp

/// Clients that send slowly, not at all, too much, or do not read: what they cost, and that others are served.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct SlowClientTests {
  private static let megabyte = 1 << 20

  private func port(_ address: String) throws -> Int { try #require(URL(string: address)?.port) }

  private func webhookHead(_ length: Int) -> String {
    "POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\n\r\n"
  }

  @Test func `silent and stopping webhooks take no place of signed ones, and are answered 408 within seconds`()
    async throws
  {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let port = try port(address)
      // 200 say nothing after the head; 40 send all but the last byte of 3 MB: more than there is memory for.
      let silent = try (0..<200).map { _ in try RawConnection(port: port) }
      for connection in silent { try connection.send(webhookHead(3 * Self.megabyte)) }
      let most = [UInt8](repeating: 0x20, count: 3 * Self.megabyte - 1)
      let stopping = try (0..<40).map { _ in try RawConnection(port: port) }
      for connection in stopping {
        try connection.send(webhookHead(3 * Self.megabyte))
        try? connection.send(String(decoding: most, as: UTF8.self))
      }
      let begun = ContinuousClock.now
      var taken = 0
      while ContinuousClock.now - begun < .seconds(4) {
        #expect(try await platform.webhook(Data("{\"n\":\(taken)}".utf8), at: address).status == 200)
        taken += 1
      }
      #expect(taken > 100)
      // Large ones too: they take the place of those that have stopped.
      let large = Data("{}".utf8) + Data(repeating: 0x20, count: 2 * Self.megabyte)
      for _ in 0..<10 { #expect(try await platform.webhook(large, at: address).status == 200) }
      #expect(try await platform.book(0, at: address)?.status == 202)
      try await eventually(within: .seconds(10), "the silent ones are answered") {
        silent.allSatisfy { $0.status() == 408 }
      }
      try await eventually(within: .seconds(10), "the stopping ones are answered") {
        stopping.allSatisfy { [408, 503].contains($0.status()) || $0.isClosed() }
      }
      #expect(ingest.isRunning)
    }
  }

  @Test func `a thousand bodies that never come do not turn bookings away`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let port = try port(address)
      try await Crowd.begin()
      defer { Crowd.end() }
      let silent = try (0..<1_000).map { _ in try RawConnection(port: port) }
      for connection in silent {
        try connection.send(
          "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"
            + "Vluma-Business: \(platform.business)\r\n\r\n{")
      }
      for index in 0..<30 { #expect(try await platform.book(index, at: address)?.status == 202) }
      withExtendedLifetime(silent) {}
    }
  }

  @Test func `64 webhooks in chunks at once are taken beside 32 that say nothing`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let port = try port(address)
      let head = "POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
      let silent = try (0..<32).map { _ in try RawConnection(port: port) }
      for connection in silent { try connection.send(head + "\r\n") }
      let body = String(repeating: " ", count: 5_000)
      let signature = WebhookSignature.value(for: Data(body.utf8), secret: Platform.appSecret)
      let signed = try (0..<64).map { _ in try RawConnection(port: port) }
      for connection in signed { try connection.send(head + "\(WebhookSignature.header): \(signature)\r\n\r\n") }
      for _ in 0..<5 {
        for connection in signed { try connection.send("3e8\r\n\(body.prefix(1_000))\r\n") }
      }
      for connection in signed { try connection.send("0\r\n\r\n") }
      try await eventually(within: .seconds(5), "all are answered") { signed.allSatisfy { $0.status() != nil } }
      #expect(signed.allSatisfy { $0.status() == 200 })
      withExtendedLifetime(silent) {}
    }
  }

  @Test func `clients that send no body or read no answer do not keep all places`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest(shell: "ulimit -n 600")
      let port = try port(address)
      // There are about 200 places. Each of these connections would keep its place for seconds.
      let requests = Array(String(repeating: "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", count: 2_000).utf8)
      var crowd: [RawConnection] = []
      for index in 0..<400 {
        let connection = try RawConnection(port: port)
        if index % 8 == 0 { _ = connection.sendSome(requests) } else { try? connection.send(webhookHead(1_000)) }
        crowd.append(connection)
      }
      for index in 0..<10 { #expect(try await platform.book(index, at: address)?.status == 202) }
      withExtendedLifetime(crowd) {}
    }
  }

  @Test func `2,000 half heads cost little memory, are cut off after seconds, and the memory is given back`()
    async throws
  {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let port = try port(address)
      #expect(try await platform.book(0, at: address)?.status == 202)
      let before = try ingest.residentMegabytes()
      try await Crowd.begin()
      defer { Crowd.end() }
      // As large as they may be: 15 KiB of headers without an end.
      let half =
        "GET /v1/bookings HTTP/1.1\r\nHost: x\r\n"
        + (0..<15).map { "X-\($0): \(String(repeating: "y", count: 1_000))\r\n" }.joined()
      let crowd = try (0..<2_000).map { _ in try RawConnection(port: port) }
      let connected = try ingest.residentMegabytes()
      for connection in crowd { try? connection.send(half) }
      try await Task.sleep(for: .seconds(1))
      let during = try ingest.residentMegabytes()
      #expect(try await platform.book(1, at: address)?.status == 202)
      try await eventually(within: .seconds(15), "they are answered 408") {
        crowd.allSatisfy { $0.status() == 408 || $0.isClosed() }
      }
      try await eventually(within: .seconds(30), "the memory is given back") {
        try ingest.residentMegabytes() < before + 40
      }
      let after = try ingest.residentMegabytes()
      print("half heads: \(before) MiB before, \(connected) connected, \(during) during, \(after) after")
      #expect(during < before + 150)
    }
  }

  @Test func `an early answer ends the reading of what follows`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let port = try port(address)
      let junk = [UInt8](repeating: 0x78, count: 1 << 16)
      for (head, status) in [
        ("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n", 404),
        ("POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n", 413),
        ("POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 404),
      ] {
        let connection = try RawConnection(port: port)
        try connection.send(head)
        try await eventually(within: .seconds(5), "it is answered") { connection.status() == status }
        #expect(connection.received().lowercased().contains("connection: close"))
        var sent = 0
        let begun = ContinuousClock.now
        while let count = connection.sendSome(junk) {
          sent += count
          if ContinuousClock.now - begun > .seconds(8) { break }
          if count == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(ContinuousClock.now - begun < .seconds(5))
        // Most of it is in the kernel's buffers of both sides.
        #expect(sent < 16 << 20, "\(sent)")
      }
      #expect(ingest.isRunning)
    }
  }

  @Test func `3 MiB in chunks of one byte cost next to nothing`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let connection = try RawConnection(port: try port(address))
      try connection.send("POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
      let before = try ingest.processorSeconds()
      let chunks = Array(String(repeating: "1\r\nx\r\n", count: 10_000).utf8)
      var sent = 0
      while sent < 6 * 3 * Self.megabyte, let count = connection.sendSome(chunks) {
        sent += count
        if connection.isReset() { break }
        if count == 0 { try await Task.sleep(for: .milliseconds(5)) }
      }
      try await eventually(within: .seconds(5), "it is refused") { connection.status() == 400 || connection.isClosed() }
      let spent = try ingest.processorSeconds() - before
      print("chunks of one byte: \(spent) s of processor time")
      #expect(spent < 1)
    }
  }

  @Test func `a client that does not read is cut off, and pipelining does not fill the memory`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let connections = try (0..<4).map { _ in try RawConnection(port: try port(address)) }
      let before = try ingest.residentMegabytes()
      let requests = Array(String(repeating: "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", count: 500).utf8)
      let begun = ContinuousClock.now
      var open = connections
      while !open.isEmpty, ContinuousClock.now - begun < .seconds(60) {
        for connection in open { _ = connection.sendSome(requests) }
        open.removeAll { $0.isReset() }
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(open.isEmpty)
      print("pipelined and unread: cut off after \(ContinuousClock.now - begun)")
      #expect(try ingest.residentMegabytesMax() < before + 100)
      #expect(try await platform.book(0, at: address)?.status == 202)
    }
  }

  @Test func `a process stops in time whatever its clients do`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest(overriding: ["VLUMA_GRACE_SECONDS": "5"])
      let port = try port(address)
      let crowd = try (0..<40).map { _ in try RawConnection(port: port) }
      let requests = Array(String(repeating: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", count: 2_000).utf8)
      for (index, connection) in crowd.enumerated() {
        switch index % 4 {
        case 0: break
        case 1: try connection.send("GET /live")
        case 2: try connection.send(webhookHead(1_000))
        default: for _ in 0..<20 { _ = connection.sendSome(requests) }
        }
      }
      try await Task.sleep(for: .seconds(1))
      ingest.send(SIGTERM)
      let begun = ContinuousClock.now
      #expect(try await ingest.ended() == 0)
      #expect(ContinuousClock.now - begun < .seconds(8))
    }
  }

  @Test func `the process shows its connections, bodies, descriptors, memory and threads`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      let half = try RawConnection(port: try port(address))
      let slow = try RawConnection(port: try port(address))
      try half.send("GET")
      try slow.send(webhookHead(1_000) + String(repeating: " ", count: 500))
      var text = ""
      try await eventually(within: .seconds(4), "the metrics show them:\n\(text)") {
        text = String(decoding: try await platform.request("GET", "\(address)/metrics").body, as: UTF8.self)
        return text.contains("vluma_http_connections{state=\"head\"} 1")
          && text.contains("vluma_http_connections{state=\"body\"} 1")
          && text.contains("vluma_http_body_bytes{share=\"small_webhooks\"} 500")
      }
      for name in ["process_open_fds", "process_max_fds", "process_resident_memory_bytes", "process_threads"] {
        let value = text.firstMatch(of: try Regex("(?m)^\(name) ([0-9]+)$", as: (Substring, Substring).self))
        #expect((value.flatMap { Int($0.1) } ?? 0) > 1, "\(name)")
        #expect(text.contains("# HELP \(name) "))
      }
      try await eventually(within: .seconds(10), "the refusals are counted") {
        text = String(decoding: try await platform.request("GET", "\(address)/metrics").body, as: UTF8.self)
        return text.contains("vluma_http_requests_refused_total{reason=\"head_slow\"} 1")
          && text.contains("vluma_http_requests_refused_total{reason=\"body_slow\"} 1")
      }
    }
  }
}
