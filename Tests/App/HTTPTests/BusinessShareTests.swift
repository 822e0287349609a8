import Foundation
import HTTPTypes
import Testing

@testable import HTTP

struct BusinessShareTests {
  private let share = BusinessShare(perSecond: 10, burst: 50)
  private let start = ContinuousClock.now

  private func taken(_ count: Int, for business: UUID, at now: ContinuousClock.Instant) -> Int {
    (0..<count).count { _ in (try? share.take(for: business, at: now)) != nil }
  }

  @Test func `a business gets its burst and then its rate, whatever others do`() {
    let (one, other) = (UUID(), UUID())
    #expect(taken(100, for: one, at: start) == 50)
    #expect(taken(100, for: other, at: start) == 50)
    #expect(taken(100, for: one, at: start + .seconds(2)) == 20)
    #expect(taken(100, for: one, at: start + .seconds(60)) == 50)
  }

  @Test func `above it the answer is a 429 that says when to come back`() throws {
    let business = UUID()
    _ = taken(50, for: business, at: start)
    let problem = try #require(throws: Problem.self) { try share.take(for: business, at: start) }
    #expect(problem.status == .tooManyRequests)
    #expect(problem.retryAfter == 1)
  }

  @Test func `invented businesses do not fill the memory`() {
    for _ in 0..<20_000 { _ = taken(1, for: UUID(), at: start) }
    #expect(share.businessCount <= 4_096)
  }
}
