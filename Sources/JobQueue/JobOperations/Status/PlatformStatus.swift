package import Jobs

/// What monitoring and operators see: depths of queues, sizes of pools, and live nodes. Nil: not known, because the
/// server that knows it could not be asked.
package struct PlatformStatus: Sendable, Equatable {
  package struct Pool: Sendable, Equatable {
    package var name: PoolName
    /// Jobs in the queue; also nil where the broker has no such queue.
    package var queued: Int?
    /// Jobs running or prefetched, as the nodes report once a second.
    package var running: Int?
    /// Jobs in PostgreSQL: scheduled, retrying or parked. Those in the broker's retry tiers are counted by tier.
    package var scheduled: Int?
    /// Open dead letters, with those that are not indexed yet.
    package var dead: Int?
    /// Configured concurrent jobs over all nodes: the operator's size, or else the one queues.yaml starts with.
    package var size: Int?
    /// What the live nodes have of the size together: 0 while the pool is paused, or no node runs it. The dead letters'
    /// pool counts 1 for each node.
    package var localConcurrency: Int?
    /// True while an operator has paused it on all nodes.
    package var isPaused: Bool?
    /// Kinds of its jobs that an operator has paused; their jobs are parked.
    package var pausedKinds: [JobKind] = []
    /// Live nodes that run it.
    package var nodes: Int?
    /// What was accepted and has ended so far.
    package var flow: JobFlow?
    /// Jobs that were accepted, have not ended and are nowhere.
    package var missing: Int?
    /// An estimate of the oldest queued job's age, in seconds, from when the job that was fetched last was enqueued.
    /// Also nil where nothing is queued or was fetched.
    package var oldestAgeSeconds: Double?

    /// A pool of which nothing is known yet.
    package init(name: PoolName) { self.name = name }
  }

  /// A retry tier of the broker.
  package struct Tier: Sendable, Equatable {
    /// The tier's delay as queues.yaml writes it, such as `30s`.
    package var name: String
    package var retrying: Int?

    package init(name: String, retrying: Int?) {
      self.name = name
      self.retrying = retrying
    }
  }

  /// A figure of a feature, such as messages that are in doubt.
  package struct Gauge: Sendable, Equatable {
    /// The name of the Prometheus metric.
    package var name: String
    /// What it counts, as a sentence.
    package var help: String
    /// The name and value of a label that tells it from other gauges of the name; nil: it is the only one.
    package var label: [String]?
    package var value: Double

    package init(_ name: String, help: String, label: [String]? = nil, value: Double) {
      self.name = name
      self.help = help
      self.label = label
      self.value = value
    }
  }

  /// Every pool of queues.yaml, in the file's order.
  package var pools: [Pool] = []
  /// Shortest first; empty where the broker could not be asked.
  package var tiers: [Tier] = []
  /// Returned jobs whose pool is gone.
  package var unroutable: Int?
  /// Jobs that are committed and not known to be enqueued.
  package var outbox: Int?
  /// Age of the oldest of them, in seconds; also nil where there is none.
  package var outboxOldestSeconds: Double?
  /// All live worker processes, by id.
  package var nodes: [NodeReport]?
  /// In any order.
  package var gauges: [Gauge] = []
  /// What could not be asked, a sentence for each.
  package var errors: [String] = []

  package init() {}
}

/// The port to everything that is counted.
package protocol PlatformStatusSource: Sendable {
  /// Never fails: what cannot be asked is named in ``PlatformStatus/errors``.
  func status() async -> PlatformStatus
}
