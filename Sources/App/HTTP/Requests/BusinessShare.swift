internal import Foundation
internal import HTTPTypes
internal import Synchronization

/// A share of the workers for each business: commands above a rate are refused, so that a flood for one business does
/// not delay the bookings of all others.
final class BusinessShare: Sendable {
  private struct Bucket {
    var tokens: Double
    var at: ContinuousClock.Instant
  }

  private struct State {
    var buckets: [UUID: Bucket] = [:]
  }

  private let perSecond: Double
  private let burst: Double
  private let state = Mutex(State())

  /// Businesses that are remembered. Who has been quiet for as long as a bucket takes to fill needs no entry.
  private static let businessesMax = 4_096

  init(perSecond: Double, burst: Double) {
    self.perSecond = perSecond
    self.burst = burst
  }

  /// Throws a 429 where the business has used its share up.
  func take(for business: UUID, at now: ContinuousClock.Instant = .now) throws(Problem) {
    let isTaken = state.withLock { state in
      var bucket = refilled(state.buckets[business], at: now)
      guard bucket.tokens >= 1 else { return false }
      bucket.tokens -= 1
      if state.buckets[business] == nil, state.buckets.count >= Self.businessesMax { evict(&state, at: now) }
      state.buckets[business] = bucket
      return true
    }
    guard !isTaken else { return }
    HTTPMetrics.refused(by: "business")
    throw Problem(
      .tooManyRequests, "this business sends more changes than \(Int(perSecond)) a second; nothing was done, try again",
      retryAfter: 1)
  }

  var businessCount: Int { state.withLock { $0.buckets.count } }

  private func refilled(_ bucket: Bucket?, at now: ContinuousClock.Instant) -> Bucket {
    guard let bucket else { return Bucket(tokens: burst, at: now) }
    return Bucket(tokens: min(burst, bucket.tokens + max(0, (now - bucket.at) / .seconds(1)) * perSecond), at: now)
  }

  /// Forgets those whose bucket is full again, and where all are busy half of them: a share is then too large for a
  /// moment, which is better than to refuse businesses because others are many.
  private func evict(_ state: inout State, at now: ContinuousClock.Instant) {
    state.buckets = state.buckets.filter { refilled($0.value, at: now).tokens < burst }
    guard state.buckets.count >= Self.businessesMax else { return }
    for key in Array(state.buckets.keys.prefix(Self.businessesMax / 2)) { state.buckets[key] = nil }
  }
}
