import Jobs
import TestServers
import Testing

struct RetryPolicyTests {
  private func delays(_ policy: RetryPolicy, seed: UInt64 = 1) -> [Duration?] {
    var random = SeededRandom(seed: seed)
    return (1...policy.maxAttempts).map { policy.delay(afterAttempt: $0, using: &random) }
  }

  @Test func `delays grow by the factor up to the maximum, and there is none after the last attempt`() {
    let policy = RetryPolicy(maxAttempts: 9, base: .seconds(1), factor: 3, max: .seconds(600), jitter: .none)
    let expected: [Duration?] = [1, 3, 9, 27, 81, 243, 600, 600].map { .seconds($0) }
    #expect(delays(policy) == expected + [nil])
  }

  @Test func `a factor of one keeps the delay`() {
    let policy = RetryPolicy(maxAttempts: 4, base: .milliseconds(250), factor: 1, max: .seconds(600), jitter: .none)
    #expect(delays(policy) == [.milliseconds(250), .milliseconds(250), .milliseconds(250), nil])
  }

  @Test func `a base above the maximum is held down to it`() {
    let policy = RetryPolicy(maxAttempts: 3, base: .seconds(60), factor: 2, max: .seconds(5), jitter: .none)
    #expect(delays(policy) == [.seconds(5), .seconds(5), nil])
  }

  @Test func `one attempt is one attempt`() {
    #expect(delays(RetryPolicy(maxAttempts: 1)) == [nil])
  }

  @Test func `an attempt beyond the last has no delay, and one before the first has the first's`() {
    var random = SeededRandom(seed: 1)
    let policy = RetryPolicy(maxAttempts: 3, base: .seconds(2), factor: 2, max: .seconds(60), jitter: .none)
    #expect(policy.delay(afterAttempt: 3, using: &random) == nil)
    #expect(policy.delay(afterAttempt: .max, using: &random) == nil)
    #expect(policy.delay(afterAttempt: 0, using: &random) == .seconds(2))
    #expect(policy.delay(afterAttempt: -5, using: &random) == .seconds(2))
  }

  @Test func `a thousand attempts have delays`() {
    let policy = RetryPolicy(
      maxAttempts: 1_000, base: .milliseconds(1), factor: 1.01, max: .seconds(86_400), jitter: .none)
    let all = delays(policy).compactMap(\.self)
    #expect(all.count == 999)
    #expect(zip(all, all.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(all.allSatisfy { $0 <= .seconds(86_400) })
  }

  @Test func `full jitter draws between nothing and the full delay, evenly`() throws {
    let policy = RetryPolicy(maxAttempts: 8, base: .seconds(1), factor: 3, max: .seconds(600), jitter: .full)
    var random = SeededRandom(seed: 7)
    for (attempt, full) in zip(1..., [1.0, 3, 9, 27, 81, 243, 600]) {
      var sum = 0.0
      for _ in 0..<4_000 {
        let drawn = policy.delay(afterAttempt: attempt, using: &random)
        let delay = try #require(drawn)
        #expect(delay >= .zero && delay <= .seconds(full))
        sum += delay / .seconds(1)
      }
      #expect(abs(sum / 4_000 - full / 2) < full * 0.03)
    }
    #expect(policy.delay(afterAttempt: 8, using: &random) == nil)
  }

  @Test func `the same seed draws the same delays`() {
    #expect(delays(RetryPolicy(), seed: 3) == delays(RetryPolicy(), seed: 3))
    #expect(delays(RetryPolicy(), seed: 3) != delays(RetryPolicy(), seed: 4))
  }

  @Test func `a factor beyond all bounds leads to the maximum, not to a crash`() async {
    await #expect(processExitsWith: .success) {
      var random = SeededRandom(seed: 1)
      let policy = RetryPolicy(maxAttempts: 8, base: .seconds(1), factor: 1e30, max: .seconds(600), jitter: .none)
      #expect(policy.delay(afterAttempt: 2, using: &random) == .seconds(600))
      #expect(policy.delay(afterAttempt: 7, using: &random) == .seconds(600))
    }
  }
}
