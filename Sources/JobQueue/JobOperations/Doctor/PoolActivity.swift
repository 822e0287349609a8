internal import Foundation
internal import Jobs

/// What the live nodes do in one pool together.
struct PoolActivity: Equatable {
  /// How many nodes run it.
  let nodes: Int
  let localConcurrency: Int
  let running: Int
  /// When the job that each node fetched last was enqueued.
  private let lastFetched: [String: Date]

  init(of pool: PoolName, on nodes: [NodeReport]) {
    var lastFetched: [String: Date] = [:]
    var reports: [PoolReport] = []
    for node in nodes {
      guard let report = node.pools[pool.rawValue] else { continue }
      reports.append(report)
      lastFetched[node.id] = report.lastFetchedEnqueuedAt
    }
    self.nodes = reports.count
    localConcurrency = reports.reduce(0) { $0 + $1.localConcurrency }
    running = reports.reduce(0) { $0 + $1.running }
    self.lastFetched = lastFetched
  }

  /// True: nothing was fetched since the earlier probe.
  func isUnchanged(since earlier: PoolActivity) -> Bool { lastFetched == earlier.lastFetched }
}
