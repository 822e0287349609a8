import Curl
import Foundation
import ServiceLifecycle
import TestServers
import Testing

@testable import WhatsAppSandbox

/// How a sandbox starts and stops.
@Suite(.timeLimit(.minutes(1)))
struct LifecycleTests {
  @Test func `it is alive`() async throws {
    try await withSandbox { (sandbox) async throws in
      #expect(try await sandbox.request("GET", "/livez").status == 200)
      #expect(try await sandbox.request("GET", "/nowhere").status == 404)
      #expect(try await sandbox.messages().isEmpty)
    }
  }

  @Test func `a graceful shutdown does not wait for clients that are kept waiting`() async throws {
    let sandbox = WhatsAppSandbox(.test(), logger: silentLogger)
    let group = ServiceGroup(services: [sandbox], logger: silentLogger)
    let running = Task { try await group.run() }
    let client = SandboxClient(sandbox, port: try await sandbox.port())
    try await client.setBehaviours("silent", "delay:600000")
    let silent = Task { try await client.newConnection().send(Sample.template(), timeout: .seconds(50)) }
    try await eventually("a client waits") { try await client.messages().count == 1 }
    await group.triggerGracefulShutdown()
    try await withTimeout(within: .seconds(20), "the sandbox ends") { try await running.value }
    await #expect(throws: CurlError.self) { try await silent.value }
  }

  @Test func `waiting for the port of a sandbox that cannot listen throws`() async throws {
    try await withSandbox { first in
      let port = try #require(URLComponents(string: first.url)?.port)
      let second = WhatsAppSandbox(.test { $0.port = port }, logger: silentLogger)
      let waiting = Task { try await second.port() }
      await #expect(throws: (any Error).self) { try await second.run() }
      await #expect(throws: SandboxNotListening.self) { try await waiting.value }
      await #expect(throws: SandboxNotListening.self) { try await second.port() }
    }
  }
}
