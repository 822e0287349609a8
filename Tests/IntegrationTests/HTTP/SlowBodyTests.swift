import Curl
import Foundation
import TestPlatform
import TestServers
import Testing

extension MessagingTests {
  /// Clients that announce a webhook's body and never send it.
  struct SlowBodyTests {
    @Test func `forty of them delay other webhooks for seconds only`() async throws {
      try await Platform.with { platform in
        let (ingest, address) = try await platform.startIngest()
        let port = try #require(URL(string: address)?.port)
        let body = Data("{}".utf8)
        let head = [
          "POST /webhooks/whatsapp HTTP/1.1", "Host: 127.0.0.1:\(port)", "Content-Type: application/json",
          "Content-Length: \(3 << 20)", "", "",
        ].joined(separator: "\r\n")
        let begun = ContinuousClock.now
        var silent: [RawConnection] = []
        for _ in 0..<40 {
          let connection = try RawConnection(port: port)
          try connection.send(head)
          silent.append(connection)
        }
        // There is room for 96 MiB of bodies at a time.
        try await eventually(within: .seconds(5), "eight of them are answered 503") {
          silent.filter { $0.status() == 503 }.count == 8
        }
        let refused = try await platform.webhook(body, at: address)
        #expect(refused.status == 503)
        #expect(refused.header("retry-after") == "1")
        // Other requests are not affected.
        #expect(try await platform.book(0, at: address)?.status == 202)
        try await eventually(within: .seconds(12), every: .milliseconds(50), "webhooks are accepted again") {
          try await platform.webhook(body, at: address).status == 200
        }
        let waited = ContinuousClock.now - begun
        #expect(waited > .seconds(8) && waited < .seconds(14), "\(waited)")
        try await eventually(within: .seconds(3), "all of them were answered") {
          silent.allSatisfy { $0.status() != nil }
        }
        #expect(silent.filter { $0.status() == 408 }.count == 32)
        #expect(silent.filter { $0.status() == 503 }.count == 8)
        #expect(ingest.isRunning)
        #expect(!ingest.output.contains("ERROR"))
      }
    }
  }
}
