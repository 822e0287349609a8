import Logging
import TestServers
import Testing

@testable import Redis

/// Servers that take no commands for reasons of their own.
@Suite(.timeLimit(.minutes(1)))
struct RedisRefusalTests {
  /// Keeps the messages of warnings and notices.
  private struct LineCollector: LogHandler {
    let lines: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.change { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
  }

  private func withClient(
    _ server: ScriptedRedis, _ body: (RedisClient, Locked<[String]>) async throws -> Void
  ) async throws {
    let lines = Locked<[String]>([])
    let logger = Logger(label: "test") { _ in LineCollector(lines: lines) }
    let client = try RedisClient(RedisConfiguration(url: "redis://127.0.0.1:\(server.port)"), logger: logger)
    try await body(client, lines)
  }

  @Test(arguments: [
    ("-OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
    ("-READONLY You can't write against a read only replica.", "READONLY"),
    ("-MISCONF Redis is configured to save RDB snapshots", "MISCONF"),
  ])
  func `what a server refuses because of its own state is said once, and its end`(_ reply: String, _ code: String)
    async throws
  {
    let isRefusing = Locked(true)
    let server = try ScriptedRedis { $0.contains("SET") && isRefusing.value ? reply + "\r\n" : "+OK\r\n" }
    defer { server.stop() }
    try await withClient(server) { client, lines async throws in
      try await eventually("it is connected") { client.isConnected }
      for _ in 0..<5 {
        await #expect(throws: RedisError.refused(code)) { try await client.command("SET", "a", "b") }
        // Others are taken, and do not end it.
        #expect(try await client.command("PING") == .status("OK"))
      }
      #expect(lines.value.count == 1, "\(lines.value)")
      #expect(lines.value.first?.contains(code) == true)
      isRefusing.change { $0 = false }
      #expect(try await client.command("SET", "a", "b") == .status("OK"))
      #expect(try await client.command("SET", "a", "b") == .status("OK"))
      try await eventually("its end is said") { lines.value.count == 2 }
      #expect(client.isConnected)
    }
  }

  @Test func `an error of one command says nothing of the server`() async throws {
    let server = try ScriptedRedis { $0.contains("INCR") ? "-WRONGTYPE Operation against a key\r\n" : "+OK\r\n" }
    defer { server.stop() }
    try await withClient(server) { client, lines async throws in
      try await eventually("it is connected") { client.isConnected }
      await #expect(throws: RedisError.refused("WRONGTYPE")) { try await client.command("INCR", "a") }
      #expect(lines.value.isEmpty)
    }
  }

  @Test(arguments: ["-ERR max number of clients reached", "-NOAUTH Authentication required."])
  func `a server without a place, or that asks for a password, is said once, and used as soon as it can be`(
    _ reply: String
  ) async throws {
    let isRefusing = Locked(true)
    let server = try ScriptedRedis { _ in isRefusing.value ? reply + "\r\n" : "+OK\r\n" }
    defer { server.stop() }
    try await withClient(server) { client, lines async throws in
      try await eventually(within: .seconds(20), "it has tried twice") { server.connectionCount > 2 }
      await #expect(throws: RedisError.unavailable) { try await client.command("PING") }
      #expect(lines.value.count == 1, "\(lines.value)")
      isRefusing.change { $0 = false }
      try await eventually(within: .seconds(20), "it is connected") { client.isConnected }
    }
  }

  @Test func `the end of a refusal is the end of all its commands`() {
    var refusals = RedisRefusals()
    #expect(refusals.taken("SET") == false)
    #expect(refusals.refused("SET", code: "OOM") == true)
    #expect(refusals.refused("EVALSHA", code: "OOM") == false)
    #expect(refusals.refused("SET", code: "READONLY") == true)
    #expect(refusals.taken("SET") == false)
    #expect(refusals.taken("GET") == false)
    #expect(refusals.taken("EVALSHA") == true)
    #expect(!refusals.isActive)
    #expect(refusals.refused("SET", code: "OOM") == true, "a new one is said again")
  }
}
