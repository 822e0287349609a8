import Curl
import Foundation
import TestServers
import Testing

/// Connections are kept, shared, replaced where they died, and closed with the client.
@Suite(.timeLimit(.minutes(1)))
struct CurlConnectionTests {
  private let client = CurlClient()

  @Test func `requests one after another share one connection`() async throws {
    let server = try ScriptedServer { connection in
      while connection.readRequest() != nil { connection.send(ScriptedServer.ok) }
    }
    defer { server.stop() }
    for number in 0..<50 {
      let body = Data("\(number)".utf8)
      let response = try await client.send(CurlRequest("POST", server.url, body: body))
      #expect(response.status == 200)
      #expect(server.requests.last?.body == body)
    }
    #expect(server.connectionCount == 1)
  }

  @Test func `two hundred requests are under way at once, and each gets its own answer`() async throws {
    let gate = ThreadGate()
    let server = try ScriptedServer { connection in
      guard let request = connection.readRequest() else { return }
      gate.wait()
      connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(request.body.count)\r\n\r\n")
      connection.send(request.body)
    }
    defer {
      gate.open()
      server.stop()
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask { [client] in
          let body = Data("request \(number)".utf8)
          let response = try await client.send(CurlRequest("POST", server.url, body: body))
          #expect(response.status == 200)
          #expect(response.body == body)
        }
      }
      try await eventually(within: .seconds(20), "all have arrived") { server.requests.count == 200 }
      gate.open()
      try await group.waitForAll()
    }
    #expect(server.requests.count == 200)
  }

  @Test func `a kept connection that the server closed meanwhile costs no request`() async throws {
    let server = try ScriptedServer(answering: ScriptedServer.ok)
    defer { server.stop() }
    for number in 1...5 {
      let response = try await client.send(CurlRequest("POST", server.url, body: Data("\(number)".utf8)))
      #expect(response.status == 200)
      try await eventually("the server closed it") { server.openConnectionCount == 0 }
    }
    #expect(server.requests.map(\.connection) == [1, 2, 3, 4, 5])
  }

  @Test func `a server that stopped between requests was written nothing, and is used again`() async throws {
    try await withNginx { nginx, client, _ async throws in
      let request = CurlRequest("POST", nginx.http + "/", body: Data("x".utf8))
      #expect(try await client.send(request).status == 200)
      await nginx.stop()
      let error = await #expect(throws: CurlError.self) { try await client.send(request) }
      #expect(error?.reason == .notConnected)
      #expect(error?.mayHaveBeenWritten == false)
      let isStarted = try await nginx.start()
      #expect(isStarted)
      #expect(try await client.send(request).status == 200)
    }
  }

  @Test func `a server that restarted between requests fails no GET`() async throws {
    try await withNginx { nginx, client, _ async throws in
      for url in [nginx.http + "/", nginx.https + "/"] {
        #expect(try await client.send(CurlRequest("GET", url)).status == 200)
        await nginx.stop()
        let isStarted = try await nginx.start()
        #expect(isStarted)
        #expect(try await client.send(CurlRequest("GET", url)).status == 200)
      }
    }
  }

  @Test func `a released client closes its connections`() async throws {
    let server = try ScriptedServer { connection in
      while connection.readRequest() != nil { connection.send(ScriptedServer.ok) }
    }
    defer { server.stop() }
    for _ in 0..<20 { try await useClientOnce(server.url) }
    try await eventually("its connections are closed") { server.openConnectionCount == 0 }
    #expect(server.connectionCount == 20)
  }

  private func useClientOnce(_ url: String) async throws {
    let client = CurlClient()
    let response = try await client.send(CurlRequest("GET", url))
    #expect(response.status == 200)
  }
}
