import Jobs
import JobsRedis
import Logging
import Redis
import TestServers
import Testing

/// Without Redis each node limits itself to its even part.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct RedisOutageTests {
  /// Takes tokens and compares their waits with a node's even part of the limit.
  private func expectShare(of limiter: RedisRateLimiter, nodes: Int) async throws {
    let start = ContinuousClock.now
    var waits: [Duration] = []
    for _ in 0..<30 {
      waits.append(try await allowedWait(limiter.take("key", sixtyAMinute, waitMax: .seconds(3_600), nodes: nodes)))
    }
    let elapsed = start.duration(to: .now)
    let part = RateLimit(count: 60, per: .seconds(60 * nodes))
    #expect(violations(in: waits, part, within: elapsed).isEmpty)
    #expect(elapsed < .seconds(5))
  }

  @Test(arguments: [1, 4])
  func `where no server listens a node keeps to its part`(_ nodes: Int) async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let client = try RedisClient(RedisConfiguration(url: "redis://127.0.0.1:1"), logger: logger)
    try await expectShare(of: RedisRateLimiter(redis: client), nodes: nodes)
  }

  @Test func `where the server stops a node keeps to its part, at once`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    let client = try await connectedRedis(RedisConfiguration(url: TestEnvironment.redis().with(port: proxy.port)))
    let limiter = RedisRateLimiter(redis: client)
    let key = TestEnvironment.uniqueName("test")
    #expect(try await allowedWait(limiter.take(key, sixtyAMinute, waitMax: .zero, nodes: 4)) == .zero)
    proxy.stop()
    try await eventually("the connection is lost") { !client.isConnected }
    try await expectShare(of: limiter, nodes: 4)
  }

  @Test func `where the server does not reply a node keeps to its part after the client's timeout`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let configuration = try RedisConfiguration(url: TestEnvironment.redis().with(port: proxy.port))
    let client = try RedisClient(configuration, timeout: .milliseconds(200), logger: logger)
    try await eventually("the client connects") { client.isConnected }
    let limiter = RedisRateLimiter(redis: client)
    proxy.freeze()
    let took = try await duration { () async throws -> Void in
      let key = TestEnvironment.uniqueName("test")
      #expect(try await allowedWait(limiter.take(key, sixtyAMinute, waitMax: .zero, nodes: 4)) == .zero)
    }
    #expect(took < .seconds(3))
  }

  @Test func `where the server is back the common bucket holds again`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    let client = try await connectedRedis(RedisConfiguration(url: TestEnvironment.redis().with(port: proxy.port)))
    let limiter = RedisRateLimiter(redis: client)
    try await withLimiters { others, key, _ async throws in
      for _ in 0..<20 {
        _ = try await allowedWait(others[0].take(key, sixtyAMinute, waitMax: .seconds(3_600), nodes: 1))
      }
      proxy.refuseNew()
      proxy.cutAll()
      try await eventually("the connection is lost") { !client.isConnected }
      #expect(try await allowedWait(limiter.take(key, sixtyAMinute, waitMax: .zero, nodes: 1)) == .zero)
      proxy.acceptNew()
      try await eventually("it is connected again") { client.isConnected }
      #expect(try await allowedWait(limiter.take(key, sixtyAMinute, waitMax: .seconds(3_600), nodes: 1)) > .seconds(5))
    }
  }
}
