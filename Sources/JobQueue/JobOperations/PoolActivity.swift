internal import Foundation
internal import Jobs

/// What the live nodes do in one pool together.
struct PoolActivity: Equatable {
  /// How many of them run it.
  let nodes: Int
  /// How many jobs they may have in hand.
  let localConcurrency: Int
  /// How many they have.
  let running: Int
  /// When the job that each took last was enqueued.
  private let lastTaken: [String: Date]

  init(of pool: PoolName, on nodes: [NodeReport]) {
    var lastTaken: [String: Date] = [:]
    var reports: [PoolReport] = []
    for node in nodes {
      guard let report = node.pools[pool.rawValue] else { continue }
      reports.append(report)
      lastTaken[node.id] = report.lastFetchedEnqueuedAt
    }
    self.nodes = reports.count
    localConcurrency = reports.reduce(0) { $0 + $1.localConcurrency }
    running = reports.reduce(0) { $0 + $1.running }
    self.lastTaken = lastTaken
  }

  /// True where nothing was taken since the other was seen.
  func isUnchanged(since earlier: PoolActivity) -> Bool { lastTaken == earlier.lastTaken }
}
