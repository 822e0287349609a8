package import Foundation

/// What operators have set for a pool. The default is a pool that no operator has changed.
package struct PoolSetting: Sendable, Equatable, Codable {
  /// Concurrent jobs on all nodes together; nil: queues.yaml decides.
  package var size: Int?
  /// True: no node takes jobs from the pool's queue; running jobs are finished.
  package var isPaused: Bool
  /// Kinds whose jobs are parked instead of started.
  package var pausedKinds: Set<JobKind>

  package init(size: Int? = nil, isPaused: Bool = false, pausedKinds: Set<JobKind> = []) {
    self.size = size
    self.isPaused = isPaused
    self.pausedKinds = pausedKinds
  }
}

/// What one node reports of one of its pools; it is stored as JSON.
package struct PoolReport: Sendable, Equatable, Codable {
  /// This node's part of the pool's size.
  package var localConcurrency: Int
  /// Jobs running or prefetched.
  package var running: Int
  /// When the job that was fetched last was enqueued; nil: none was fetched.
  package var lastFetchedEnqueuedAt: Date?
  /// Jobs that this node has put into retry tiers and that are still there; nil: not reported.
  package var retrying: Int?
  /// Dead letters that the node is indexing, by the pool they died in; nil: not reported.
  package var indexing: [String: Int]?

  package init(
    localConcurrency: Int = 0, running: Int = 0, lastFetchedEnqueuedAt: Date? = nil, retrying: Int? = nil,
    indexing: [String: Int]? = nil
  ) {
    self.localConcurrency = localConcurrency
    self.running = running
    self.lastFetchedEnqueuedAt = lastFetchedEnqueuedAt
    self.retrying = retrying
    self.indexing = indexing
  }

  private enum CodingKeys: String, CodingKey {
    case localConcurrency = "local_concurrency"
    case running
    case lastFetchedEnqueuedAt = "last_fetched_enqueued_at"
    case retrying, indexing
  }

  /// Absent fields get their defaults: nodes of two versions read each other's reports during a deploy.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    localConcurrency = try values.decodeIfPresent(Int.self, forKey: .localConcurrency) ?? 0
    running = try values.decodeIfPresent(Int.self, forKey: .running) ?? 0
    lastFetchedEnqueuedAt = try values.decodeIfPresent(Date.self, forKey: .lastFetchedEnqueuedAt)
    retrying = try values.decodeIfPresent(Int.self, forKey: .retrying)
    indexing = try values.decodeIfPresent([String: Int].self, forKey: .indexing)
  }
}

/// What a process has of the limits that its machine sets; nil: unknown. It is stored as JSON.
package struct NodeResources: Sendable, Equatable, Codable {
  /// Open files and connections.
  package var openDescriptors: Int?
  /// How many may be open: the soft limit RLIMIT_NOFILE.
  package var descriptorsMax: Int?
  /// How many clients an ingest process may have connected; also nil for a process that serves no clients.
  package var clientsMax: Int?

  package init(openDescriptors: Int? = nil, descriptorsMax: Int? = nil, clientsMax: Int? = nil) {
    self.openDescriptors = openDescriptors
    self.descriptorsMax = descriptorsMax
    self.clientsMax = clientsMax
  }

  private enum CodingKeys: String, CodingKey {
    case openDescriptors = "open_descriptors"
    case descriptorsMax = "descriptors_max"
    case clientsMax = "clients_max"
  }
}

/// A live process: a worker process, or an ingest process, which runs no pools.
package struct NodeReport: Sendable, Equatable, Codable {
  /// Unique for each process: two processes with one id would renew one lease.
  package var id: String
  /// When the process started its engine, by its own clock.
  package var startedAt: Date
  /// The pools it runs, by name. A pool's size is divided among the nodes that list it.
  package var pools: [String: PoolReport]
  /// Nil: not reported.
  package var resources: NodeResources?

  /// False: it runs no pools, and so has no part in any job.
  package var isWorker: Bool { !pools.isEmpty }

  package init(id: String, startedAt: Date, pools: [String: PoolReport], resources: NodeResources? = nil) {
    self.id = id
    self.startedAt = startedAt
    self.pools = pools
    self.resources = resources
  }
}
