import Jobs
import TestServers
import Testing

@testable import JobsRedis

struct TokenBucketTests {
  private let start = ContinuousClock.now
  private let eightyASecond = RateLimit(count: 80, per: .seconds(1))

  /// The decisions for `count` callers at the same instant.
  private func decisions(
    _ bucket: inout TokenBucket, _ limit: RateLimit, _ count: Int, waitMax: Duration = .zero,
    at now: ContinuousClock.Instant? = nil
  ) -> [RateLimitDecision] {
    var decisions: [RateLimitDecision] = []
    for _ in 0..<count { decisions.append(bucket.take(limit, waitMax: waitMax, now: now ?? start)) }
    return decisions
  }

  @Test func `after an idle time a burst is allowed at once, and then one token an interval`() {
    var bucket = TokenBucket()
    let found = decisions(&bucket, eightyASecond, 12, waitMax: .seconds(1))
    let waits: [Duration] = [.microseconds(12_500), .milliseconds(25), .microseconds(37_500), .milliseconds(50)]
    #expect(found == Array(repeating: .allowed(after: .zero), count: 8) + waits.map { .allowed(after: $0) })
  }

  @Test(arguments: zip([1, 9, 10, 19, 20, 80, 600], [1, 1, 1, 1, 2, 8, 60]))
  func `a burst is a tenth of the count, and one at least`(_ count: Int, _ burst: Int) {
    let limit = RateLimit(count: count, per: .seconds(60))
    #expect(limit.burst == burst)
    var bucket = TokenBucket()
    let found = decisions(&bucket, limit, burst + 1)
    #expect(found.dropLast().allSatisfy { $0 == .allowed(after: .zero) })
    #expect(found.last == .denied(retryAfter: limit.interval))
  }

  @Test func `a caller that asks once an interval never waits`() {
    var bucket = TokenBucket()
    for number in 0..<1_000 {
      let decision = bucket.take(eightyASecond, waitMax: .zero, now: start + eightyASecond.interval * number)
      #expect(decision == .allowed(after: .zero))
    }
  }

  @Test func `over an hour there are as many tokens as the limit says, and the burst`() {
    var bucket = TokenBucket()
    let limit = RateLimit(count: 600, per: .seconds(60))
    var tokens = 0
    for tick in 0..<(3_600 * 50) {
      if case .allowed = bucket.take(limit, waitMax: .zero, now: start + .milliseconds(20 * tick)) { tokens += 1 }
    }
    #expect((36_000...36_060).contains(tokens))
  }

  @Test func `a token further away than the longest wait is not taken, and costs nothing`() {
    var bucket = TokenBucket()
    let limit = RateLimit(count: 1, per: .seconds(10))
    _ = decisions(&bucket, limit, 1)
    let refused = decisions(&bucket, limit, 1_000, waitMax: .seconds(9))
    #expect(refused.allSatisfy { $0 == .denied(retryAfter: .seconds(10)) })
    let later = bucket.take(limit, waitMax: .seconds(1), now: start + .seconds(5))
    #expect(later == .denied(retryAfter: .seconds(5)))
    // A caller that asks again after the delay is allowed.
    let back = bucket.take(limit, waitMax: .zero, now: start + .seconds(10))
    #expect(back == .allowed(after: .zero))
  }

  @Test func `a token within the longest wait is taken, to the instant`() {
    let limit = RateLimit(count: 1, per: .seconds(10))
    var (longEnough, tooShort) = (TokenBucket(), TokenBucket())
    let within = decisions(&longEnough, limit, 2, waitMax: .seconds(10))
    #expect(within.last == .allowed(after: .seconds(10)))
    let beyond = decisions(&tooShort, limit, 2, waitMax: Duration.seconds(10) - .nanoseconds(1))
    #expect(beyond.last == .denied(retryAfter: .seconds(10)))
  }

  @Test func `a bucket is full at first, and again when its tokens have come back`() {
    var bucket = TokenBucket()
    #expect(bucket.isFull(start))
    _ = decisions(&bucket, eightyASecond, 1)
    #expect(!bucket.isFull(start))
    #expect(!bucket.isFull(start + .milliseconds(12)))
    #expect(bucket.isFull(start + .microseconds(12_500)))
  }

  @Test func `an idle time of any length earns one burst and no more`() {
    var bucket = TokenBucket()
    _ = decisions(&bucket, eightyASecond, 8)
    let found = decisions(&bucket, eightyASecond, 9, at: start + .seconds(86_400 * 365))
    #expect(found.dropLast().allSatisfy { $0 == .allowed(after: .zero) })
    #expect(found.last == .denied(retryAfter: eightyASecond.interval))
  }

  @Test func `in no stretch of time are there more tokens than the limit and the burst allow`() {
    var random = SeededRandom(seed: 41)
    for _ in 0..<20 {
      let count = Int.random(in: 1...200, using: &random)
      let seconds = Int.random(in: 1...60, using: &random)
      let limit = RateLimit(count: count, per: .seconds(seconds))
      var bucket = TokenBucket()
      var now = start
      var tokens: [ContinuousClock.Instant] = []
      for _ in 0..<200 {
        now = now + .milliseconds(Int.random(in: 0...40, using: &random))
        if case .allowed(let wait) = bucket.take(limit, waitMax: .seconds(30), now: now) { tokens.append(now + wait) }
      }
      let areInOrder = tokens == tokens.sorted()
      #expect(areInOrder)
      for first in tokens.indices {
        for last in first..<tokens.count {
          let least = limit.interval * (last - first + 1 - limit.burst)
          guard tokens[last] - tokens[first] < least else { continue }
          Issue.record("\(last - first + 1) tokens in \(tokens[last] - tokens[first]) at \(limit)")
        }
      }
    }
  }
}
