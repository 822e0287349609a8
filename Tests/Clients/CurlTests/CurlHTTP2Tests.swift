import Foundation
import TestServers
import Testing

@testable import Curl

/// HTTP/2 over TLS, against a real nginx.
@Suite(.timeLimit(.minutes(1)))
struct CurlHTTP2Tests {
  /// The connections that so many requests, all at once, came on.
  private func connections(_ count: Int, _ client: CurlClient, _ url: String) async throws -> Set<String> {
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<count {
        group.addTask {
          let response = try await client.send(CurlRequest("GET", url))
          return try #require(response.header("x-connection"))
        }
      }
      var connections: Set<String> = []
      for try await connection in group { connections.insert(connection) }
      return connections
    }
  }

  @Test func `HTTP 2 is spoken over TLS, and HTTP 1 without it`() async throws {
    try await withNginx { nginx, client, _ async throws in
      let secure = try await client.send(CurlRequest("GET", nginx.https + "/"))
      #expect(secure.body == Data("GET HTTP/2.0".utf8))
      let plain = try await client.send(CurlRequest("GET", nginx.http + "/"))
      #expect(plain.body == Data("GET HTTP/1.1".utf8))
    }
  }

  @Test func `requests one after another share one connection`() async throws {
    try await withNginx { nginx, client, _ async throws in
      for url in [nginx.https + "/", nginx.http + "/"] {
        var all: Set<String> = []
        for _ in 0..<50 {
          let one = try await connections(1, client, url)
          all.formUnion(one)
        }
        #expect(all.count == 1)
      }
    }
  }

  @Test func `requests at once share an open connection`() async throws {
    try await withNginx { nginx, client, _ async throws in
      let first = try await connections(1, client, nginx.https + "/")
      let all = try await connections(50, client, nginx.https + "/")
      #expect(first.union(all).count <= 2)
    }
  }

  @Test func `requests at once open few connections where none is open`() async throws {
    try await withNginx { nginx, client, _ async throws in
      let all = try await connections(50, client, nginx.https + "/")
      #expect(all.count <= 4)
    }
  }

  @Test func `bodies arrive whole`() async throws {
    let upstream = try ScriptedServer(answering: ScriptedServer.ok)
    defer { upstream.stop() }
    try await withNginx(upstream: upstream.port) { nginx, client, _ async throws in
      for count in [0, 1, 65_536, 3_000_000] {
        // A slice: its first index is not 0.
        let body = patternedBytes(count + 10).dropFirst(10)
        for url in [nginx.https + "/upstream", nginx.http + "/upstream"] {
          let response = try await client.send(CurlRequest("POST", url, body: body))
          #expect(response.status == 200)
          #expect(upstream.requests.last?.body == body)
        }
      }
      #expect(upstream.requests.count == 8)
    }
  }

  @Test func `a large body arrives whole`() async throws {
    try await withNginx { nginx, client, folder async throws in
      let content = patternedBytes(20_000_000)
      try folder.write(content, to: "content")
      for url in [nginx.https + "/files/content", nginx.http + "/files/content"] {
        let request = CurlRequest("GET", url, responseBytesMax: 20_000_000)
        let response = try await client.send(request)
        #expect(response.status == 200)
        // Compared here: a failed expectation would print both.
        let isSame = response.body == content
        #expect(isSame)
      }
    }
  }

  @Test(arguments: ["POST", "DELETE"], [nil, "", "x"] as [String?])
  func `what is cut off on a connection that others share is not sent again`(
    _ method: String, _ body: String?
  ) async throws {
    let upstream = try ScriptedServer(answering: nil)
    defer { upstream.stop() }
    try await withNginx(upstream: upstream.port) { nginx, client, _ async throws in
      let proxy = try TCPProxy(to: "127.0.0.1", port: nginx.httpsPort)
      defer { proxy.stop() }
      let url = "https://127.0.0.1:\(proxy.port)"
      let request = CurlRequest(method, url + "/upstream", body: body.map { Data($0.utf8) }, timeout: .seconds(5))
      let task = Task { try await client.send(request) }
      try await eventually("the request arrived") { upstream.requests.count == 1 }
      // That another request uses the connection is what makes libcurl take it for a kept one.
      #expect(try await client.send(CurlRequest("GET", url + "/")).status == 200)
      proxy.cutAll()
      let error = await #expect(throws: CurlError.self) { try await task.value }
      #expect(error?.reason == .connectionLost)
      #expect(error?.mayHaveBeenWritten == true)
      #expect(upstream.requests.count == 1)
    }
  }

  @Test func `cancelling one request leaves the others on its connection alone`() async throws {
    let gate = ThreadGate()
    let upstream = try ScriptedServer { connection in
      guard let request = connection.readRequest() else { return }
      if request.line.contains("/upstream/silent") { return connection.waitForClose() }
      gate.wait()
      connection.send(ScriptedServer.ok)
    }
    defer {
      gate.open()
      upstream.stop()
    }
    try await withNginx(upstream: upstream.port) { nginx, client, _ async throws in
      let url = nginx.https + "/upstream"
      let first = try await connections(1, client, nginx.https + "/")
      let silent = Task { try await client.send(CurlRequest("GET", url + "/silent")) }
      let slow = Task { try await client.send(CurlRequest("GET", url + "/slow")) }
      try await eventually("both are under way") { upstream.requests.count == 2 }
      silent.cancel()
      await #expect(throws: (any Error).self) { try await silent.value }
      gate.open()
      let response = try await slow.value
      #expect(response.status == 200)
      let connection = try #require(response.header("x-connection"))
      #expect(first.contains(connection))
    }
  }

  @Test func `a connection that has gone silent is replaced after some requests without a first byte`() async throws {
    try await withNginx { nginx, client, _ async throws in
      let proxy = try TCPProxy(to: "127.0.0.1", port: nginx.httpsPort)
      defer { proxy.stop() }
      let request = CurlRequest(
        "POST", "https://127.0.0.1:\(proxy.port)/", body: Data("x".utf8), firstByteTimeout: .milliseconds(300))
      #expect(try await client.send(request).status == 200)
      // What is on the connection gets no answer; the kernels still acknowledge its bytes.
      proxy.blackhole()
      for _ in 0..<SilentConnections.timeoutsMax {
        let error = await #expect(throws: CurlError.self) { try await client.send(request) }
        #expect(error?.reason == .timedOut)
        #expect(error?.mayHaveBeenWritten == true)
      }
      #expect(try await client.send(request).status == 200)
    }
  }

  @Test func `a slow answer between others is no sign of a dead connection`() async throws {
    let upstream = try ScriptedServer { connection in
      if connection.readRequest() != nil { connection.waitForClose() }
    }
    defer { upstream.stop() }
    try await withNginx(upstream: upstream.port) { nginx, client, _ async throws in
      let first = try await connections(1, client, nginx.https + "/")
      let silent = CurlRequest("GET", nginx.https + "/upstream/silent", firstByteTimeout: .milliseconds(200))
      for _ in 0..<(2 * SilentConnections.timeoutsMax) {
        await #expect(throws: CurlError.self) { try await client.send(silent) }
        #expect(try await connections(1, client, nginx.https + "/") == first)
      }
    }
  }
}
