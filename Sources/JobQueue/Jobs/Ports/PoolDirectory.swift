package import Foundation

/// What an operator has set for a pool; nil means that queues.yaml decides.
package struct PoolSetting: Sendable, Equatable, Codable {
  /// Concurrent jobs over all nodes together.
  package var size: Int?
  /// True: no node takes jobs from the pool's queue; those in hand are finished.
  package var isPaused: Bool
  /// Kinds of the pool's jobs that are not begun: such jobs are put aside, and the others go on.
  package var pausedKinds: Set<JobKind>

  /// A setting; the default is what holds where no operator has said anything.
  package init(size: Int? = nil, isPaused: Bool = false, pausedKinds: Set<JobKind> = []) {
    self.size = size
    self.isPaused = isPaused
    self.pausedKinds = pausedKinds
  }
}

/// What one node says of one of its pools.
package struct PoolReport: Sendable, Equatable, Codable {
  /// This node's part of the pool's size.
  package var localConcurrency: Int
  /// Jobs in hand: taken and not yet settled.
  package var running: Int
  /// When the job taken last was enqueued.
  package var lastFetchedEnqueuedAt: Date?

  /// A report; the default is that of a pool which has taken nothing yet.
  package init(localConcurrency: Int = 0, running: Int = 0, lastFetchedEnqueuedAt: Date? = nil) {
    self.localConcurrency = localConcurrency
    self.running = running
    self.lastFetchedEnqueuedAt = lastFetchedEnqueuedAt
  }
}

/// A live worker process.
package struct NodeReport: Sendable, Equatable, Codable {
  /// Unique for each process.
  package var id: String
  /// When the process put its engine together, by its own clock.
  package var startedAt: Date
  /// The pools it runs, by name. A pool's size is shared out among the nodes that name it here.
  package var pools: [String: PoolReport]

  /// Puts a report together; `id` must be no other process's, or the two would renew one lease.
  package init(id: String, startedAt: Date, pools: [String: PoolReport]) {
    self.id = id
    self.startedAt = startedAt
    self.pools = pools
  }
}

/// The port to what all nodes see: operators' settings, and who is alive.
package protocol PoolDirectory: Sendable {
  /// Renews this node's lease, tells the others of its pools, and returns the settings and all live nodes, this one
  /// included.
  func renewLease(_ node: NodeReport, lease: Duration) async throws -> (
    settings: [PoolName: PoolSetting], nodes: [NodeReport]
  )
  /// Gives the lease up, so that others take over this node's shares at once.
  func releaseLease(_ node: String) async throws
  /// Settings and live nodes, for a look from outside.
  func overview() async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport])
  /// Changes a pool's setting, audited under `who`, and tells every node.
  func change(_ pool: PoolName, by who: String, _ change: @escaping @Sendable (inout PoolSetting) -> Void) async throws
    -> PoolSetting
  /// Calls back whenever settings or nodes have changed, or may have, until the task is cancelled.
  func watch(_ changed: @escaping @Sendable () async -> Void) async
}

/// How a pool's size is shared out over nodes: evenly, the first ones in order of id take what is left over.
package enum LocalConcurrency {
  /// The part of `node` among `nodes`.
  package static func localConcurrency(of total: Int, for node: String, among nodes: [String]) -> Int {
    let sorted = nodes.sorted()
    guard let place = sorted.firstIndex(of: node) else { return 0 }
    return total / sorted.count + (place < total % sorted.count ? 1 : 0)
  }
}
