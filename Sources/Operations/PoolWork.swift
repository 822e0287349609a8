internal import Foundation
internal import Jobs

/// What the live nodes do in one pool together.
struct PoolWork: Equatable {
  /// How many of them run it.
  let nodes: Int
  /// How many jobs they may have in hand.
  let share: Int
  /// How many they have.
  let inHand: Int
  /// When the job that each took last was enqueued.
  private let lastTaken: [String: Date]

  init(of pool: PoolName, on nodes: [NodeReport]) {
    var lastTaken: [String: Date] = [:]
    var reports: [PoolReport] = []
    for node in nodes {
      guard let report = node.pools[pool.rawValue] else { continue }
      reports.append(report)
      lastTaken[node.id] = report.lastTakenEnqueuedAt
    }
    self.nodes = reports.count
    share = reports.reduce(0) { $0 + $1.share }
    inHand = reports.reduce(0) { $0 + $1.inHand }
    self.lastTaken = lastTaken
  }

  /// True where nothing was taken since the other was seen.
  func hasTakenNothing(since earlier: PoolWork) -> Bool { lastTaken == earlier.lastTaken }
}
