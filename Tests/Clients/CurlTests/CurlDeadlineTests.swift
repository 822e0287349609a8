import CCurl
import Curl
import Foundation
import Glibc
import TestServers
import Testing

/// The three deadlines: for connecting, for the first byte of the answer, and for all of it.
@Suite(.timeLimit(.minutes(1)))
struct CurlDeadlineTests {
  private let client = CurlClient()

  /// Sends a request that must end by a deadline, long before the others would end it.
  private func failure(_ request: CurlRequest) async -> CurlError? {
    let start = ContinuousClock.now
    let error = await #expect(throws: CurlError.self) { try await client.send(request) }
    #expect(.now - start < .seconds(10))
    return error
  }

  @Test func `a request without a response ends when the first byte is due`() async throws {
    let server = try ScriptedServer(answering: nil)
    defer { server.stop() }
    let error = await failure(
      CurlRequest("POST", server.url, body: Data("x".utf8), firstByteTimeout: .milliseconds(300)))
    #expect(error?.reason == .timedOut)
    #expect(error?.mayHaveBeenWritten == true)
    try await eventually("the connection is closed") { server.openConnectionCount == 0 }
  }

  @Test func `an answer that began in time may take longer than its first byte might`() async throws {
    let firstByteTimeout = Duration.seconds(2)
    let server = try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
      for _ in 0..<30 {
        Thread.sleep(forTimeInterval: 0.1)
        connection.send("x")
      }
    }
    defer { server.stop() }
    let start = ContinuousClock.now
    let response = try await client.send(CurlRequest("GET", server.url, firstByteTimeout: firstByteTimeout))
    #expect(response.body.count == 30)
    #expect(.now - start > firstByteTimeout)
  }

  @Test func `a body that drips for ever ends at the last deadline`() async throws {
    let server = try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
      while connection.send("x") { Thread.sleep(forTimeInterval: 0.01) }
    }
    defer { server.stop() }
    let error = await failure(CurlRequest("GET", server.url, firstByteTimeout: .seconds(1), timeout: .seconds(1)))
    #expect(error?.reason == .timedOut)
    #expect(error?.mayHaveBeenWritten == true)
    try await eventually("the connection is closed") { server.openConnectionCount == 0 }
  }

  @Test func `a body that the server does not take was not written at the last deadline`() async throws {
    let gate = ThreadGate()
    let server = try ScriptedServer { connection in
      _ = connection.readHead()
      gate.wait()
    }
    defer {
      gate.open()
      server.stop()
    }
    let body = Data(repeating: 7, count: 16 << 20)
    let error = await failure(CurlRequest("POST", server.url, body: body, timeout: .seconds(1)))
    #expect(error?.reason == .timedOut)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a TLS handshake that is not answered ends when the connection is due`() async throws {
    let server = try ScriptedServer { connection in connection.waitForClose() }
    defer { server.stop() }
    let error = await failure(
      CurlRequest(
        "POST", "https://127.0.0.1:\(server.port)/", body: Data("x".utf8), connectTimeout: .milliseconds(300)))
    #expect(error?.reason == .timedOut || error?.reason == .notConnected)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a connection that does not come about was written nothing when the first byte is due`() async throws {
    let server = try ScriptedServer { connection in connection.waitForClose() }
    defer { server.stop() }
    let error = await failure(
      CurlRequest(
        "POST", "https://127.0.0.1:\(server.port)/", body: Data("x".utf8), connectTimeout: .seconds(20),
        firstByteTimeout: .milliseconds(300)))
    #expect(error?.reason == .timedOut || error?.reason == .notConnected)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a request to a server that accepts no connection ends when the connection is due`() async throws {
    // The kernel drops what does not fit into the queue of a socket that listens, as an unreachable host does.
    let bound = try Loopback.boundSocket()
    #expect(listen(bound.descriptor, 0) == 0)
    let waiting = (0..<4).map { _ in beginConnecting(to: bound.port) }
    defer { for descriptor in waiting + [bound.descriptor] { close(descriptor) } }
    let error = await failure(
      CurlRequest(
        "POST", "http://127.0.0.1:\(bound.port)/", body: Data("x".utf8), connectTimeout: .milliseconds(300)))
    #expect(error?.reason == .timedOut || error?.reason == .notConnected)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `names are looked up beside the client's thread`() {
    // Otherwise one silent name server holds up every transfer.
    #expect(vluma_has_asynchronous_resolver() != 0)
  }
}
