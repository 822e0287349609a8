import Jobs
import JobsRedis
import TestServers
import Testing

/// The limits of one process. The waits are compared; no test waits for them.
struct LocalRateLimiterTests {
  private let hour = Duration.seconds(3_600)

  /// The waits of tokens taken one after the other, and how long that took.
  private func waits(
    _ limiter: LocalRateLimiter, key: String = "key", _ count: Int, nodes: Int = 1
  ) async throws -> (waits: [Duration], elapsed: Duration) {
    let start = ContinuousClock.now
    var waits: [Duration] = []
    for _ in 0..<count {
      waits.append(try await allowedWait(limiter.take(key, sixtyAMinute, waitMax: hour, nodes: nodes)))
    }
    return (waits, start.duration(to: .now))
  }

  @Test func `one node has the whole limit`() async throws {
    let (waits, elapsed) = try await waits(LocalRateLimiter(), 40)
    #expect(violations(in: waits, sixtyAMinute, within: elapsed).isEmpty)
  }

  @Test(arguments: [2, 3, 10])
  func `each of several nodes takes its even part`(_ nodes: Int) async throws {
    let (waits, elapsed) = try await waits(LocalRateLimiter(), 40, nodes: nodes)
    let part = RateLimit(count: 60, per: .seconds(60 * nodes))
    #expect(violations(in: waits, part, within: elapsed).isEmpty)
  }

  @Test(arguments: [0, -1])
  func `fewer nodes than one are one`(_ nodes: Int) async throws {
    let (waits, elapsed) = try await waits(LocalRateLimiter(), 20, nodes: nodes)
    #expect(violations(in: waits, sixtyAMinute, within: elapsed).isEmpty)
  }

  @Test func `keys have nothing to do with each other`() async throws {
    let limiter = LocalRateLimiter()
    _ = try await waits(limiter, key: "one", 100)
    let (others, elapsed) = try await waits(limiter, key: "other", 40)
    #expect(violations(in: others, sixtyAMinute, within: elapsed).isEmpty)
  }

  @Test func `many at once share one bucket`() async throws {
    let limiter = LocalRateLimiter()
    let start = ContinuousClock.now
    let waits = try await withThrowingTaskGroup(of: Duration.self) { group in
      for _ in 0..<100 {
        group.addTask { try await allowedWait(limiter.take("key", sixtyAMinute, waitMax: .seconds(3_600), nodes: 1)) }
      }
      return try await group.reduce(into: [Duration]()) { $0.append($1) }
    }
    #expect(waits.count == 100)
    #expect(violations(in: waits, sixtyAMinute, within: start.duration(to: .now)).isEmpty)
  }

  @Test func `a denied token costs nothing`() async throws {
    let limiter = LocalRateLimiter()
    for _ in 0..<6 { _ = try await allowedWait(limiter.take("key", sixtyAMinute, waitMax: .zero, nodes: 1)) }
    for _ in 0..<100 {
      // In a slow test a token may have become available; it is one more that is allowed.
      guard case .denied(let delay) = await limiter.take("key", sixtyAMinute, waitMax: .zero, nodes: 1) else {
        continue
      }
      #expect(delay > .zero && delay <= .seconds(1))
    }
    #expect(try await allowedWait(limiter.take("key", sixtyAMinute, waitMax: hour, nodes: 1)) <= .seconds(1))
  }

  @Test func `a bucket in use is not forgotten for thousands of others`() async throws {
    let limiter = LocalRateLimiter()
    _ = try await waits(limiter, key: "busy", 66)
    let quick = RateLimit(count: 1_000, per: .milliseconds(1))
    for number in 0..<5_000 { _ = await limiter.take("\(number)", quick, waitMax: .zero, nodes: 1) }
    let wait = try await allowedWait(limiter.take("busy", sixtyAMinute, waitMax: hour, nodes: 1))
    #expect(wait > .seconds(30))
  }
}
