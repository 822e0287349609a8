import Jobs
import TestServers
import Testing

@testable import JobEngine

struct RetryTiersTests {
  private let retryTiers = RetryTiers([.seconds(1), .seconds(5), .seconds(30), .seconds(120), .seconds(600)])

  private func tier(_ delay: Duration, seed: UInt64 = 1) -> Duration? {
    var random = SeededRandom(seed: seed)
    return retryTiers.tier(for: delay, using: &random)
  }

  @Test func `tiers are sorted and unique`() {
    let mixed = RetryTiers([.seconds(30), .seconds(1), .seconds(30), .milliseconds(500), .seconds(1)])
    #expect(mixed.tiers == [.milliseconds(500), .seconds(1), .seconds(30)])
  }

  @Test(arguments: 1...20)
  func `a delay that is a tier is that tier`(_ seed: Int) {
    for exact in retryTiers.tiers { #expect(tier(exact, seed: UInt64(seed)) == exact) }
  }

  @Test(arguments: [Duration.zero, .nanoseconds(1), .milliseconds(1), .milliseconds(999)])
  func `a delay shorter than the shortest tier is the shortest`(_ delay: Duration) {
    for seed in 1...20 { #expect(tier(delay, seed: UInt64(seed)) == .seconds(1)) }
  }

  @Test(arguments: [1.5, 2, 4.9, 6, 15, 29, 31, 60, 119, 200, 400, 599])
  func `a delay between two tiers is one of them, and the mean holds`(_ seconds: Double) throws {
    var random = SeededRandom(seed: UInt64(seconds * 10))
    let below = try #require(retryTiers.tiers.last { $0 < .seconds(seconds) })
    let above = try #require(retryTiers.tiers.first { $0 > .seconds(seconds) })
    var sum = 0.0
    let draws = 20_000
    for _ in 0..<draws {
      let drawn = retryTiers.tier(for: .seconds(seconds), using: &random)
      let tier = try #require(drawn)
      guard tier == below || tier == above else {
        Issue.record("\(tier) is not next to \(seconds) s")
        return
      }
      sum += tier / .seconds(1)
    }
    #expect(abs(sum / Double(draws) - seconds) < seconds * 0.04)
  }

  @Test func `the mean of delays drawn with full jitter holds on the tiers`() {
    var random = SeededRandom(seed: 11)
    let policy = RetryPolicy(maxAttempts: 8, base: .seconds(200), factor: 3, max: .seconds(600), jitter: .full)
    var (drawn, rounded) = (0.0, 0.0)
    for _ in 0..<20_000 {
      guard let delay = policy.delay(afterAttempt: 2, using: &random),
        let tier = retryTiers.tier(for: delay, using: &random)
      else {
        Issue.record("no delay, or no tier for it")
        return
      }
      drawn += delay / .seconds(1)
      rounded += tier / .seconds(1)
    }
    #expect(abs(rounded - drawn) < drawn * 0.03)
  }

  @Test(arguments: [600.1, 700, 899, 900])
  func `a delay a little longer than the longest tier is the longest`(_ seconds: Double) {
    #expect(tier(.seconds(seconds)) == .seconds(600))
  }

  @Test(arguments: [900.1, 1_000, 86_400, 1e9])
  func `a delay much longer than the longest tier has none`(_ seconds: Double) {
    #expect(tier(.seconds(seconds)) == nil)
  }

  @Test func `an empty list has no tier for any delay`() {
    var random = SeededRandom(seed: 1)
    #expect(RetryTiers([]).tier(for: .seconds(1), using: &random) == nil)
    #expect(RetryTiers([]).tier(for: .zero, using: &random) == nil)
  }

  @Test func `a list of one tier has that tier only`() {
    var random = SeededRandom(seed: 1)
    let single = RetryTiers([.seconds(10)])
    for seconds in [0, 1, 10, 15] { #expect(single.tier(for: .seconds(seconds), using: &random) == .seconds(10)) }
    #expect(single.tier(for: .seconds(16), using: &random) == nil)
  }
}
