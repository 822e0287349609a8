import Jobs
import JobsRedis
import Redis
import TestServers
import Testing

/// Limits over all nodes, on a real Redis. The waits are compared; no test waits for them.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct RedisRateLimiterTests {
  private let hour = Duration.seconds(3_600)

  @Test func `two limiters on two connections share one bucket`() async throws {
    try await withLimiters { limiters, key, _ async throws in
      let start = ContinuousClock.now
      var waits: [Duration] = []
      for number in 0..<60 {
        let decision = await limiters[number % 2].take(key, sixtyAMinute, waitMax: hour, nodes: 2)
        waits.append(try allowedWait(decision))
      }
      #expect(violations(in: waits, sixtyAMinute, within: start.duration(to: .now)).isEmpty)
    }
  }

  @Test func `two limiters asked by many at once share one bucket`() async throws {
    try await withLimiters { limiters, key, _ async throws in
      let start = ContinuousClock.now
      let waits = try await withThrowingTaskGroup(of: Duration.self) { group in
        for number in 0..<200 {
          let limiter = limiters[number % 2]
          group.addTask { try await allowedWait(limiter.take(key, sixtyAMinute, waitMax: .seconds(3_600), nodes: 2)) }
        }
        return try await group.reduce(into: [Duration]()) { $0.append($1) }
      }
      #expect(waits.count == 200)
      #expect(violations(in: waits, sixtyAMinute, within: start.duration(to: .now)).isEmpty)
    }
  }

  @Test(arguments: [RateLimit(count: 7, per: .seconds(60)), RateLimit(count: 3, per: .seconds(3_600))])
  func `limits that divide no second evenly hold as well`(_ limit: RateLimit) async throws {
    try await withLimiters { limiters, key, _ async throws in
      let start = ContinuousClock.now
      var waits: [Duration] = []
      for number in 0..<30 {
        let decision = await limiters[number % 2].take(key, limit, waitMax: .seconds(86_400), nodes: 2)
        waits.append(try allowedWait(decision))
      }
      #expect(violations(in: waits, limit, within: start.duration(to: .now)).isEmpty)
    }
  }

  @Test func `however many nodes there are, the limit is the same`() async throws {
    try await withLimiters { limiters, key, _ async throws in
      let start = ContinuousClock.now
      var waits: [Duration] = []
      for nodes in [1, 2, 100, 0] + Array(repeating: 7, count: 20) {
        waits.append(try await allowedWait(limiters[0].take(key, sixtyAMinute, waitMax: hour, nodes: nodes)))
      }
      #expect(violations(in: waits, sixtyAMinute, within: start.duration(to: .now)).isEmpty)
    }
  }

  @Test func `a token further away than the longest wait is not taken, and costs nothing`() async throws {
    try await withLimiters { limiters, key, _ async throws in
      for _ in 0..<6 { _ = try await allowedWait(limiters[0].take(key, sixtyAMinute, waitMax: .zero, nodes: 1)) }
      for number in 0..<50 {
        let decision = await limiters[number % 2].take(key, sixtyAMinute, waitMax: .zero, nodes: 1)
        // In a slow test a token may have become available; it is one more that is allowed.
        if case .denied(let delay) = decision { #expect(delay > .zero && delay <= .seconds(1)) }
      }
      let last = try await allowedWait(limiters[0].take(key, sixtyAMinute, waitMax: hour, nodes: 1))
      #expect(last <= .seconds(1))
    }
  }

  @Test func `keys have nothing to do with each other`() async throws {
    try await withLimiters { limiters, key, _ async throws in
      for _ in 0..<20 { _ = try await allowedWait(limiters[0].take(key, sixtyAMinute, waitMax: hour, nodes: 1)) }
      try await withLimiters { others, other, _ async throws in
        #expect(try await allowedWait(others[0].take(other, sixtyAMinute, waitMax: .zero, nodes: 1)) == .zero)
      }
    }
  }

  @Test func `a bucket expires when it is full again, and not before`() async throws {
    try await withLimiters { limiters, key, client async throws in
      for _ in 0..<20 { _ = try await allowedWait(limiters[0].take(key, sixtyAMinute, waitMax: hour, nodes: 1)) }
      let reply = try await client.command("PTTL", "vluma:rate:\(key)")
      guard case .integer(let left) = reply else { throw TestError(description: "\(reply)") }
      #expect((10_000...20_100).contains(left))
      try await client.command("DEL", "vluma:rate:\(key)")
      let quick = RateLimit(count: 100, per: .seconds(1))
      for _ in 0..<5 { _ = await limiters[1].take(key, quick, waitMax: hour, nodes: 1) }
      try await eventually("the bucket is gone") {
        try await client.command("EXISTS", "vluma:rate:\(key)") == .integer(0)
      }
    }
  }
}
