import Curl
import Foundation
import TestServers
import Testing

/// Cancelling the task ends the wait at once, and the transfer with it, at every stage of the request.
@Suite(.timeLimit(.minutes(1)))
struct CurlCancellationTests {
  enum Stage: CaseIterable {
    case connecting
    case sending
    case waiting
    case receiving
  }

  private let client = CurlClient()

  private func isCancellation(_ error: (any Error)?) -> Bool {
    error is CancellationError || (error as? CurlError)?.reason == .cancelled
  }

  @Test(arguments: Stage.allCases)
  func `a cancelled request ends at once, and so does its connection`(_ stage: Stage) async throws {
    let isReached = Locked(false)
    let gate = ThreadGate()
    let server = try ScriptedServer { connection in
      switch stage {
      case .connecting: connection.waitForBytes(1)
      case .sending: _ = connection.readHead()
      case .waiting: _ = connection.readRequest()
      case .receiving:
        _ = connection.readRequest()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
      }
      isReached.change { $0 = true }
      gate.wait()
      connection.waitForClose()
    }
    defer {
      gate.open()
      server.stop()
    }
    let scheme = stage == .connecting ? "https" : "http"
    let body = Data(repeating: 7, count: stage == .sending ? 16 << 20 : 1)
    let request = CurlRequest("POST", "\(scheme)://127.0.0.1:\(server.port)/", body: body)
    let task = Task { [client] in try await client.send(request) }
    try await eventually("the request is under way") { isReached.value }

    let start = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: (any Error).self) { try await task.value }
    #expect(.now - start < .seconds(10))
    #expect(isCancellation(error))
    gate.open()
    try await eventually("the connection is closed") { server.openConnectionCount == 0 }
  }

  @Test func `what was cancelled before it began is not sent`() async throws {
    let server = try ScriptedServer(answering: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    defer { server.stop() }
    await withTaskGroup(of: Void.self) { group in
      group.cancelAll()  // those that follow are born cancelled
      for _ in 0..<500 {
        group.addTask { [client] in
          _ = try? await client.send(CurlRequest("POST", server.url + "cancelled", body: Data("x".utf8)))
        }
      }
    }
    // The client begins its requests in order: had one of those begun, the server would have met it before this one.
    let response = try await client.send(CurlRequest("GET", server.url + "last"))
    #expect(response.status == 200)
    #expect(server.connectionCount == 1)
    #expect(server.count(of: "/cancelled") == 0)
  }

  @Test func `cancelling one request leaves the others alone`() async throws {
    let gate = ThreadGate()
    let server = try ScriptedServer { connection in
      guard let request = connection.readRequest() else { return }
      if request.line.contains("/silent") { return connection.waitForClose() }
      gate.wait()
      connection.send(ScriptedServer.ok)
    }
    defer {
      gate.open()
      server.stop()
    }
    let silent = Task { [client] in try await client.send(CurlRequest("GET", server.url + "silent")) }
    let slow = Task { [client] in try await client.send(CurlRequest("GET", server.url + "slow")) }
    try await eventually("both are under way") { server.requests.count == 2 }
    silent.cancel()
    let error = await #expect(throws: (any Error).self) { try await silent.value }
    #expect(isCancellation(error))
    try await eventually("its connection is closed") { server.openConnectionCount == 1 }
    gate.open()
    let response = try await slow.value
    #expect(response.status == 200)
  }
}
