import Curl
import Foundation
import Testing

/// The connection ends at every stage of a request and its response: the error's claim about the request must hold.
@Suite(.timeLimit(.minutes(1)))
struct CurlDisconnectTests {
  /// How far the server reads a request before it resets the connection.
  enum Stage: CaseIterable {
    case accepted
    case inHead
    case afterHead
    case inBody
  }

  /// What a server may have sent when the connection ends, none of it a whole response.
  static let fragments = [
    "",
    "HTTP/1.1 20",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nX-One: a\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nX-One: a\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhal",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "HTTP/1.1 103 Early Hints\r\nX-One: a\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nX-One: a\r\n\r\nHTTP/1.1 200 OK\r\nX-One: a\r\n",
  ]

  private let client = CurlClient()

  /// More than a loopback connection buffers while the server does not read.
  private static let largeBody = Data(repeating: 7, count: 16 << 20)

  @Test(arguments: Stage.allCases)
  func `a request that did not leave wholly cannot have been acted upon`(_ stage: Stage) async throws {
    let server = try ScriptedServer { connection in
      switch stage {
      case .accepted: break
      case .inHead: connection.waitForBytes(10)
      case .afterHead: _ = connection.readHead()
      case .inBody:
        _ = connection.readHead()
        connection.waitForBytes(1_000_000)
      }
      connection.reset()
    }
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url, body: Self.largeBody))
    }
    // A reset may come so early that it is reported as a refused connection.
    #expect(error?.reason == .connectionLost || (stage == .accepted && error?.reason == .notConnected))
    #expect(error?.mayHaveBeenWritten == false)
    #expect(server.requests.isEmpty)
  }

  @Test(arguments: CurlDisconnectTests.fragments, [false, true])
  func `an answer that ends early is none, and leaves it open whether the request was acted upon`(
    _ fragment: String, _ isReset: Bool
  ) async throws {
    let server = try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      connection.send(fragment)
      if isReset { connection.reset() }
    }
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url, body: Data("x".utf8)))
    }
    #expect(error?.reason == .connectionLost)
    #expect(error?.mayHaveBeenWritten == true)
    #expect(server.requests.count == 1)
  }

  @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "nonsense\r\n\r\n"])
  func `an answer that is no HTTP leaves it open whether the request was acted upon`(_ answer: String) async throws {
    let server = try ScriptedServer(answering: answer)
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url, body: Data("x".utf8)))
    }
    #expect(error?.reason == .connectionLost)
    #expect(error?.mayHaveBeenWritten == true)
  }
}
