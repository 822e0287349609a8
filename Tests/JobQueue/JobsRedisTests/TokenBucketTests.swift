import Jobs
import TestServers
import Testing

@testable import JobsRedis

struct TokenBucketTests {
  private let start = ContinuousClock.now
  private let eightyASecond = RateLimit(count: 80, per: .seconds(1))

  /// The decisions of so many who ask at the same instant.
  private func decisions(
    _ bucket: inout TokenBucket, _ limit: RateLimit, _ count: Int, waitMax: Duration = .zero,
    at now: ContinuousClock.Instant? = nil
  ) -> [RateLimitDecision] {
    var decisions: [RateLimitDecision] = []
    for _ in 0..<count { decisions.append(bucket.take(limit, waitMax: waitMax, now: now ?? start)) }
    return decisions
  }

  @Test func `after a quiet time a burst has its turns at once, and then there is one an interval`() {
    var bucket = TokenBucket()
    let found = decisions(&bucket, eightyASecond, 12, waitMax: .seconds(1))
    let waits: [Duration] = [.microseconds(12_500), .milliseconds(25), .microseconds(37_500), .milliseconds(50)]
    #expect(found == Array(repeating: .turn(in: .zero), count: 8) + waits.map { .turn(in: $0) })
  }

  @Test(arguments: zip([1, 9, 10, 19, 20, 80, 600], [1, 1, 1, 1, 2, 8, 60]))
  func `a burst is a tenth of the count, and one at least`(_ count: Int, _ burst: Int) {
    let limit = RateLimit(count: count, per: .seconds(60))
    #expect(limit.burst == burst)
    var bucket = TokenBucket()
    let found = decisions(&bucket, limit, burst + 1)
    #expect(found.dropLast().allSatisfy { $0 == .turn(in: .zero) })
    #expect(found.last == .denied(after: limit.interval))
  }

  @Test func `whoever asks once an interval never waits`() {
    var bucket = TokenBucket()
    for number in 0..<1_000 {
      let decision = bucket.take(eightyASecond, waitMax: .zero, now: start + eightyASecond.interval * number)
      #expect(decision == .turn(in: .zero))
    }
  }

  @Test func `over an hour there are as many turns as the limit says, and the burst`() {
    var bucket = TokenBucket()
    let limit = RateLimit(count: 600, per: .seconds(60))
    var turns = 0
    for tick in 0..<(3_600 * 50) {
      if case .turn = bucket.take(limit, waitMax: .zero, now: start + .milliseconds(20 * tick)) { turns += 1 }
    }
    #expect((36_000...36_060).contains(turns))
  }

  @Test func `a turn further away than the waitMax is not taken, and costs nothing`() {
    var bucket = TokenBucket()
    let limit = RateLimit(count: 1, per: .seconds(10))
    _ = decisions(&bucket, limit, 1)
    let refused = decisions(&bucket, limit, 1_000, waitMax: .seconds(9))
    #expect(refused.allSatisfy { $0 == .denied(after: .seconds(10)) })
    let later = bucket.take(limit, waitMax: .seconds(1), now: start + .seconds(5))
    #expect(later == .denied(after: .seconds(5)))
    // Whoever comes back when it was told to has its turn.
    let back = bucket.take(limit, waitMax: .zero, now: start + .seconds(10))
    #expect(back == .turn(in: .zero))
  }

  @Test func `a turn within the waitMax is taken, to the instant`() {
    let limit = RateLimit(count: 1, per: .seconds(10))
    var (longEnough, tooShort) = (TokenBucket(), TokenBucket())
    let within = decisions(&longEnough, limit, 2, waitMax: .seconds(10))
    #expect(within.last == .turn(in: .seconds(10)))
    let beyond = decisions(&tooShort, limit, 2, waitMax: Duration.seconds(10) - .nanoseconds(1))
    #expect(beyond.last == .denied(after: .seconds(10)))
  }

  @Test func `a bucket is full at first, and again when its turns are over`() {
    var bucket = TokenBucket()
    #expect(bucket.isFull(start))
    _ = decisions(&bucket, eightyASecond, 1)
    #expect(!bucket.isFull(start))
    #expect(!bucket.isFull(start + .milliseconds(12)))
    #expect(bucket.isFull(start + .microseconds(12_500)))
  }

  @Test func `a quiet time of any length earns one burst and no more`() {
    var bucket = TokenBucket()
    _ = decisions(&bucket, eightyASecond, 8)
    let found = decisions(&bucket, eightyASecond, 9, at: start + .seconds(86_400 * 365))
    #expect(found.dropLast().allSatisfy { $0 == .turn(in: .zero) })
    #expect(found.last == .denied(after: eightyASecond.interval))
  }

  @Test func `in no stretch of time are there more turns than the limit and the burst allow`() {
    var random = SeededRandom(seed: 41)
    for _ in 0..<20 {
      let count = Int.random(in: 1...200, using: &random)
      let seconds = Int.random(in: 1...60, using: &random)
      let limit = RateLimit(count: count, per: .seconds(seconds))
      var bucket = TokenBucket()
      var now = start
      var turns: [ContinuousClock.Instant] = []
      for _ in 0..<200 {
        now = now + .milliseconds(Int.random(in: 0...40, using: &random))
        if case .turn(let wait) = bucket.take(limit, waitMax: .seconds(30), now: now) { turns.append(now + wait) }
      }
      let areInOrder = turns == turns.sorted()
      #expect(areInOrder)
      for first in turns.indices {
        for last in first..<turns.count {
          let least = limit.interval * (last - first + 1 - limit.burst)
          guard turns[last] - turns[first] < least else { continue }
          Issue.record("\(last - first + 1) turns in \(turns[last] - turns[first]) at \(limit)")
        }
      }
    }
  }
}
