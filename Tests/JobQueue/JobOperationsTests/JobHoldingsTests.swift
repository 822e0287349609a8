import Foundation
import JobOperations
import Jobs
import Testing

/// Whether the jobs of pools add up.
struct JobHoldingsTests {
  /// Ten jobs of the pool were accepted; three have ended.
  private var holdings: JobHoldings {
    var holdings = JobHoldings()
    holdings.flowsBefore = ["one": JobFlow(accepted: 10, completed: 1, cancelled: 1, dead: 1)]
    holdings.flowsAfter = holdings.flowsBefore
    return holdings
  }

  private func node(_ pools: [String: PoolReport]) -> NodeReport {
    NodeReport(id: "node", startedAt: .distantPast, pools: pools)
  }

  @Test func `what was accepted, has not ended and is nowhere is missing`() {
    #expect(holdings.missing() == ["one": 7])
  }

  @Test func `jobs in each place are not missing`() {
    var holdings = holdings
    holdings.queued = ["one": 1]
    holdings.stored = ["one": 1]
    holdings.deadLetters = ["one": 1]
    holdings.retrying = 2
    holdings.nodes = [
      node(["one": PoolReport(running: 1, retrying: 2), "dead.letters": PoolReport(indexing: ["one": 1])])
    ]
    #expect(holdings.missing() == ["one": 0])
  }

  @Test func `what ends while the places are read is found, and what is accepted meanwhile is not expected`() {
    var holdings = holdings
    holdings.flowsAfter = ["one": JobFlow(accepted: 14, completed: 12), "new": JobFlow(accepted: 1)]
    #expect(holdings.missing() == ["one": -2])
  }

  @Test func `jobs in retry tiers that no node has reported may be any pool's`() {
    var holdings = holdings
    holdings.flowsBefore["two"] = JobFlow(accepted: 5)
    holdings.retrying = 6
    holdings.nodes = [node(["one": PoolReport(retrying: 2)]), node(["two": PoolReport(retrying: 1)])]
    // Three are unreported.
    #expect(holdings.missing() == ["one": 7 - 2 - 3, "two": 5 - 1 - 3])
  }

  @Test func `old jobs are compared with what the broker and the processes hold`() {
    var holdings = holdings
    holdings.overdue = ["one": 6]
    #expect(holdings.missingOverdue() == ["one": 6])
    holdings.queued = ["one": 1]
    holdings.stored = ["one": 9]
    holdings.nodes = [node(["one": PoolReport(running: 2)])]
    #expect(holdings.missingOverdue() == ["one": 3])
  }

  @Test func `what nodes report of retry tiers that are empty counts for nothing`() {
    var holdings = holdings
    holdings.nodes = [node(["one": PoolReport(retrying: 7)])]
    #expect(holdings.missing() == ["one": 7])
    holdings.retrying = 4
    #expect(holdings.missing() == ["one": 3])
  }
}
