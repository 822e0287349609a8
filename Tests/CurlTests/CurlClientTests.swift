import Curl
import Foundation
import Glibc
import Synchronization
import TestServers
import Testing

/// The HTTP client against a small server of the test's own that says exactly what it is told to.
@Suite(.timeLimit(.minutes(1)))
struct CurlClientTests {
  private let client = CurlClient()

  @Test func `status, headers and body come as the server sent them`() async throws {
    let server = try CannedServer(
      "HTTP/1.1 201 Created\r\nX-One: a\r\nLocation: /here\r\nContent-Length: 5\r\n\r\nhello")
    let response = try await client.send(CurlRequest("POST", server.url, body: Data("{}".utf8)))
    #expect(response.status == 201)
    #expect(response.header("location") == "/here")
    #expect(response.body == Data("hello".utf8))
    #expect(server.request.contains("POST / HTTP/1.1"))
    #expect(server.request.hasSuffix("{}"))
  }

  @Test func `a server that is not there was written nothing`() async throws {
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", "http://127.0.0.1:1/", body: Data("x".utf8)))
    }
    #expect(error?.reason == .notConnected)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a connection cut after the request leaves it open whether it was acted upon`() async throws {
    let server = try CannedServer("")
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", server.url, body: Data("x".utf8)))
    }
    #expect(error?.reason == .broken)
    #expect(error?.mayHaveBeenWritten == true)
  }

  @Test func `a connection cut in the middle of the body is no response`() async throws {
    let server = try CannedServer("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    let error = await #expect(throws: CurlError.self) { try await client.send(CurlRequest("GET", server.url)) }
    #expect(error?.reason == .broken)
  }

  @Test func `a response larger than allowed is given up`() async throws {
    let body = String(repeating: "x", count: 5_000)
    let server = try CannedServer("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body)
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("GET", server.url, responseBytesMax: 4_999))
    }
    #expect(error?.reason == .responseTooLarge)
  }

  @Test func `a server that says nothing is given up at the deadline`() async throws {
    let server = try CannedServer(nil)
    let start = ContinuousClock.now
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("GET", server.url, timeout: .milliseconds(300)))
    }
    #expect(error?.reason == .timedOut)
    #expect(error?.mayHaveBeenWritten == true)
    #expect(.now - start < .seconds(10))
  }

  @Test func `cancelling the task ends the transfer`() async throws {
    let server = try CannedServer(nil)
    let task = Task { try await client.send(CurlRequest("GET", server.url)) }
    try await eventually("the request arrived") { !server.request.isEmpty }
    task.cancel()
    await #expect(throws: (any Error).self) { try await task.value }
  }

  @Test(arguments: ["ftp://127.0.0.1/", "nonsense://x", "http://", ""])
  func `what is no HTTP URL is refused`(_ url: String) async throws {
    let error = await #expect(throws: CurlError.self) { try await client.send(CurlRequest("GET", url)) }
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test func `a header with a line break is refused`() async throws {
    let server = try CannedServer("")
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("GET", server.url, headers: [(name: "X", value: "a\r\nInjected: b")]))
    }
    #expect(error?.reason == .invalidRequest)
  }
}

/// A server for one connection: reads a request, answers what it was given, and closes; given nil it answers nothing.
///
/// `@unchecked Sendable`: the descriptor is set once, and what was read is locked.
private final class CannedServer: @unchecked Sendable {
  let url: String
  private let listener: Int32
  private let received = Mutex("")

  var request: String { received.withLock { $0 } }

  init(_ answer: String?) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(listener, raw, length) == 0 && listen(listener, 1) == 0 && getsockname(listener, raw, &length) == 0
      }
    }
    guard isListening else { throw NotInTime(description: "cannot listen (errno \(errno))") }
    url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/"
    Thread.detachNewThread { [self] in serve(answer) }
  }

  deinit { close(listener) }

  private func serve(_ answer: String?) {
    let connection = accept(listener, nil, nil)
    guard connection >= 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    // The tests' requests are small: one read has all of it, or the rest follows at once.
    while true {
      let count = read(connection, &buffer, buffer.count)
      if count <= 0 { break }
      received.withLock { $0 += String(decoding: buffer[..<count], as: UTF8.self) }
      guard let answer else { continue }
      let isWhole = request.contains("\r\n\r\n") && (!request.hasPrefix("POST") || !request.hasSuffix("\r\n\r\n"))
      guard isWhole else { continue }
      _ = Array(answer.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      break
    }
    close(connection)
  }
}
