import Curl
import Foundation
import TestServers
import Testing

/// The HTTP client against a scripted server.
@Suite(.timeLimit(.minutes(1)))
struct CurlClientTests {
  private let client = CurlClient()

  @Test func `status, headers and body come as the server sent them`() async throws {
    let server = try ScriptedServer(
      answering: "HTTP/1.1 201 Created\r\nX-One: a\r\nLocation: /here\r\nContent-Length: 5\r\n\r\nhello")
    defer { server.stop() }
    let response = try await client.send(CurlRequest("POST", server.url, body: Data("{}".utf8)))
    #expect(response.status == 201)
    #expect(response.header("location") == "/here")
    #expect(response.body == Data("hello".utf8))
    let request = try #require(server.requests.first)
    #expect(request.line == "POST / HTTP/1.1")
    #expect(request.body == Data("{}".utf8))
  }

  @Test func `what comes before the final answer is no part of it`() async throws {
    let server = try ScriptedServer(
      answering: "HTTP/1.1 103 Early Hints\r\nX-One: early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    defer { server.stop() }
    let response = try await client.send(CurlRequest("GET", server.url))
    #expect(response.status == 200)
    #expect(response.header("x-one") == nil)
    #expect(response.body == Data("hello".utf8))
  }

  @Test func `an answer may come before the request was sent to its end`() async throws {
    let server = try ScriptedServer { connection in
      guard connection.readHead() != nil else { return }
      connection.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
      connection.waitForClose()
    }
    defer { server.stop() }
    let body = Data(repeating: 7, count: 16 << 20)
    let response = try await client.send(CurlRequest("POST", server.url, body: body))
    #expect(response.status == 413)
    #expect(response.body == Data("big".utf8))
  }

  @Test func `the response to a HEAD has no body, whatever its length header`() async throws {
    let server = try ScriptedServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
    defer { server.stop() }
    let response = try await client.send(CurlRequest("HEAD", server.url))
    #expect(response.status == 200)
    #expect(response.body.isEmpty)
    #expect(server.requests.first?.line == "HEAD / HTTP/1.1")
  }

  @Test func `a server that is not there was written nothing`() async throws {
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", "http://127.0.0.1:1/", body: Data("x".utf8)))
    }
    #expect(error?.reason == .notConnected)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a connection cut after the request leaves it open whether it was acted upon`() async throws {
    let server = try ScriptedServer(answering: "")
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url, body: Data("x".utf8)))
    }
    #expect(error?.reason == .connectionLost)
    #expect(error?.mayHaveBeenWritten == true)
  }

  @Test func `a connection cut in the middle of the body is no response`() async throws {
    let server = try ScriptedServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) { try await client.send(CurlRequest("GET", server.url)) }
    #expect(error?.reason == .connectionLost)
  }

  @Test func `a response larger than allowed is an error`() async throws {
    let body = String(repeating: "x", count: 5_000)
    let server = try ScriptedServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body)
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("GET", server.url, responseBytesMax: 4_999))
    }
    #expect(error?.reason == .responseTooLarge)
  }

  @Test func `a request without a response ends at the deadline`() async throws {
    let server = try ScriptedServer(answering: nil)
    defer { server.stop() }
    let start = ContinuousClock.now
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("GET", server.url, timeout: .milliseconds(300)))
    }
    #expect(error?.reason == .timedOut)
    #expect(error?.mayHaveBeenWritten == true)
    #expect(.now - start < .seconds(10))
  }

  @Test func `cancelling the task ends the transfer`() async throws {
    let server = try ScriptedServer(answering: nil)
    defer { server.stop() }
    let task = Task { try await client.send(CurlRequest("GET", server.url)) }
    try await eventually("the request arrived") { !server.requests.isEmpty }
    task.cancel()
    await #expect(throws: (any Error).self) { try await task.value }
  }

  @Test(arguments: ["ftp://127.0.0.1/", "nonsense://x", "http://", ""])
  func `what is no HTTP URL is refused`(_ url: String) async throws {
    let error = await #expect(throws: CurlError.self) { try await client.send(CurlRequest("GET", url)) }
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a header with a line break is refused`() async throws {
    let server = try ScriptedServer(answering: "")
    defer { server.stop() }
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("GET", server.url, headers: [(name: "X", value: "a\r\nInjected: b")]))
    }
    #expect(error?.reason == .invalidRequest)
  }
}
