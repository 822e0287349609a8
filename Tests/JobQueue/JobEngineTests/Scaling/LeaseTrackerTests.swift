import Testing

@testable import JobEngine

struct LeaseTrackerTests {
  private let start = ContinuousClock.now

  @Test func `before the first renewal the lease is neither started nor overdue`() {
    let leaseTracker = LeaseTracker()
    #expect(!leaseTracker.hasBegun)
    #expect(!leaseTracker.isOverdue(.seconds(1), at: start + .seconds(60)))
  }

  @Test func `a renewal is overdue when the last one is longer ago than the limit`() {
    let leaseTracker = LeaseTracker()
    leaseTracker.renewed(at: start)
    #expect(leaseTracker.hasBegun)
    #expect(!leaseTracker.isOverdue(.seconds(5), at: start + .seconds(5)))
    #expect(leaseTracker.isOverdue(.seconds(5), at: start + .seconds(6)))
    leaseTracker.renewed(at: start + .seconds(6))
    #expect(!leaseTracker.isOverdue(.seconds(5), at: start + .seconds(6)))
  }
}
