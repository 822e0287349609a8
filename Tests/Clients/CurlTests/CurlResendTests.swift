import Curl
import Foundation
import Testing

/// libcurl by itself repeats a request, of whatever method, where a kept connection dies before it brought any answer.
/// Nothing but a GET or a HEAD may reach the server twice.
@Suite(.timeLimit(.minutes(1)))
struct CurlResendTests {
  private let client = CurlClient()
  private static let largeBody = Data(repeating: 7, count: 16 << 20)

  /// Answers every request, but reads the first one for `/cut` and closes without an answer.
  private func cuttingServer() throws -> ScriptedServer {
    try ScriptedServer { connection in
      while let request = connection.readRequest() {
        if request.line.contains("/cut"), connection.server.count(of: "/cut") == 1 { return }
        connection.send(ScriptedServer.ok)
      }
    }
  }

  /// Sends a request, so that a connection is kept.
  private func keepConnection(_ server: ScriptedServer) async throws {
    let response = try await client.send(CurlRequest("POST", server.url, body: Data("first".utf8)))
    #expect(response.status == 200)
  }

  @Test(arguments: ["POST", "PUT", "PATCH", "DELETE"], [nil, "", "x"] as [String?])
  func `what a server read and did not answer is not sent again`(_ method: String, _ body: String?) async throws {
    let server = try cuttingServer()
    defer { server.stop() }
    try await keepConnection(server)
    let request = CurlRequest(method, server.url + "cut", body: body.map { Data($0.utf8) })
    let error = await #expect(throws: CurlError.self) { try await client.send(request) }
    #expect(error?.reason == .connectionLost)
    #expect(error?.mayHaveBeenWritten == true)
    #expect(server.count(of: "/cut") == 1)
  }

  @Test func `a POST goes out on the kept connection`() async throws {
    let server = try cuttingServer()
    defer { server.stop() }
    try await keepConnection(server)
    await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url + "cut", body: Data("x".utf8)))
    }
    // Otherwise the tests here would prove nothing.
    #expect(server.requests.map(\.connection) == [1, 1])
  }

  @Test func `a GET may be sent again, once`() async throws {
    let server = try cuttingServer()
    defer { server.stop() }
    try await keepConnection(server)
    do {
      let response = try await client.send(CurlRequest("GET", server.url + "cut"))
      #expect(response.status == 200)
    } catch let error as CurlError {
      #expect(error.mayHaveBeenWritten)
    }
    #expect((1...2).contains(server.count(of: "/cut")))
  }

  @Test func `a server that is gone after it read the request is no missing connection`() async throws {
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        if request.line.contains("/cut") { return connection.server.stopListening() }
        connection.send(ScriptedServer.ok)
      }
    }
    defer { server.stop() }
    try await keepConnection(server)
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url + "cut", body: Data("x".utf8)))
    }
    // "Not connected" promises that nothing was written.
    #expect(error?.reason == .connectionLost)
    #expect(error?.mayHaveBeenWritten == true)
    #expect(server.count(of: "/cut") == 1)
  }

  @Test func `a body that a kept connection took half of was not written, and may be sent again`() async throws {
    let server = try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      connection.send(ScriptedServer.ok)
      guard connection.readHead() != nil else { return }
      connection.waitForBytes(1_000_000)
      connection.reset()
    }
    defer { server.stop() }
    try await keepConnection(server)
    // libcurl tries on a fresh connection by itself, as it may here: the server had half of a request.
    do {
      _ = try await client.send(CurlRequest("POST", server.url, body: Self.largeBody))
      #expect(server.requests.count == 2)
    } catch let error as CurlError {
      #expect(error.reason == .connectionLost)
      #expect(error.mayHaveBeenWritten == false)
      #expect(server.requests.count == 1)
    }
  }

  @Test func `a kept connection that dies at the head costs the request, or nothing`() async throws {
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        connection.send(ScriptedServer.ok)
        guard request.line.contains("first") else { continue }
        _ = connection.readHead()
        return connection.reset()
      }
    }
    defer { server.stop() }
    _ = try await client.send(CurlRequest("POST", server.url + "first", body: Data("x".utf8)))
    do {
      let response = try await client.send(CurlRequest("POST", server.url, body: Self.largeBody))
      #expect(response.status == 200)
      #expect(server.requests.last?.body == Self.largeBody)
    } catch let error as CurlError {
      #expect(!error.mayHaveBeenWritten)
    }
    #expect(server.requests.count <= 2)
  }
}
