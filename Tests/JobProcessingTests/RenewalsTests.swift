import Testing

@testable import JobProcessing

struct RenewalsTests {
  private let start = ContinuousClock.now

  @Test func `before the first renewal nothing has begun, and nothing is overdue`() {
    let renewals = Renewals()
    #expect(!renewals.hasBegun)
    #expect(!renewals.isOverdue(.seconds(1), at: start + .seconds(60)))
  }

  @Test func `a renewal is overdue when it is longer ago than it may be`() {
    let renewals = Renewals()
    renewals.renewed(at: start)
    #expect(renewals.hasBegun)
    #expect(!renewals.isOverdue(.seconds(5), at: start + .seconds(5)))
    #expect(renewals.isOverdue(.seconds(5), at: start + .seconds(6)))
    renewals.renewed(at: start + .seconds(6))
    #expect(!renewals.isOverdue(.seconds(5), at: start + .seconds(6)))
  }
}
