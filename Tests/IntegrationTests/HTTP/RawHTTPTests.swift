import Foundation
import TestPlatform
import TestServers
import Testing

/// Raw requests on real sockets; `RawRequestTests` has all their shapes without sockets.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct RawHTTPTests {
  /// A request, the status of its answer, and whether the server then closes the connection.
  private static let cases: [(request: String, status: Int, closes: Bool)] = [
    ("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200, false),
    ("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", 200, true),
    ("GET /livez HTTP/1.0\r\nHost: x\r\n\r\n", 200, true),
    ("GET /livez HTTP/1.1\r\n\r\n", 400, true),
    ("GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, true),
    ("POST /v1/bookings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, true),
    ("POST /v1/bookings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, true),
    ("POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413, true),
    ("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 404, true),
  ]

  @Test func `each gets its answer, and the connection ends where it must`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest()
      let port = try #require(URL(string: address)?.port)
      for (request, status, closes) in Self.cases {
        let connection = try RawConnection(port: port)
        try connection.send(request)
        try await eventually(within: .seconds(5), "an answer to \(request)") { connection.status() != nil }
        // A wrong method is 404 or 405, as the routes say.
        let expected = status == 404 ? [404, 405] : [status]
        #expect(expected.contains(connection.status() ?? 0), "\(request)")
        if closes {
          try await eventually(within: .seconds(1), "the end after \(request)") { connection.isClosed() }
        } else {
          #expect(!connection.isClosed(), "\(request)")
        }
      }
      // A body that ends early.
      let early = try RawConnection(port: port)
      try early.send("POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc")
      early.endOutput()
      try await eventually(within: .seconds(5), "an answer") { early.status() == 400 }
      #expect(!ingest.output.contains("ERROR"))
    }
  }
}
