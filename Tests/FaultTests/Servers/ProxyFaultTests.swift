import Foundation
import Postgres
import TestServers
import Testing

/// The faults of TCPProxy.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ProxyFaultTests {
  /// A connection to PostgreSQL through a proxy.
  private func connected(_ body: (TCPProxy, PostgresConfiguration, PostgresConnection) async throws -> Void)
    async throws
  {
    let server = try TestEnvironment.postgres()
    let proxy = try server.proxy()
    defer { proxy.stop() }
    let configuration = try PostgresConfiguration(url: server.with(port: proxy.port))
    let connection = try await PostgresConnection.connect(configuration)
    try await body(proxy, configuration, connection)
    await connection.close()
  }

  @Test func `delayed bytes arrive late, and at once after restore`() async throws {
    try await connected { (proxy, _, connection) async throws in
      proxy.delay(.milliseconds(200))
      let slow = try await duration { _ = try await connection.query("SELECT 1") }
      #expect(slow >= .milliseconds(390))
      proxy.delay(.seconds(60))
      let before = proxy.bytesFromClient
      async let answer = connection.query("SELECT 1", deadline: .now + .seconds(30))
      try await eventually("the query is on its way") { proxy.bytesFromClient > before }
      proxy.restore()
      let rows = try await answer
      #expect(rows.count == 1)
    }
  }

  @Test func `throttled bytes all arrive, no faster than the limit`() async throws {
    try await connected { (proxy, _, connection) async throws in
      proxy.throttle(bytesPerSecond: 20_000)
      let time = try await duration {
        let text: String = try await connection.query("SELECT repeat('x', 10000)")[0].decode(0)
        #expect(text.count == 10_000)
      }
      #expect(time >= .milliseconds(400))
    }
  }

  @Test func `connections in a black hole are silent, new ones are not, and restore resets the former`() async throws {
    try await connected { (proxy, configuration, connection) async throws in
      proxy.blackhole()
      await #expect(throws: PostgresError.self) {
        try await connection.query("SELECT 1", deadline: .now + .milliseconds(200))
      }
      let other = try await PostgresConnection.connect(configuration)
      #expect(try await other.query("SELECT 1").count == 1)
      proxy.restore()
      try await eventually("the connection in the black hole is gone") { proxy.connectionCount == 1 }
      await other.close()
    }
  }
}
