package import Jobs

/// What monitoring and operators see: depths of queues, sizes of pools, and who works.
package struct PlatformStatus: Sendable, Codable, Equatable {
  /// One pool.
  package struct Pool: Sendable, Codable, Equatable {
    /// Which pool, as queues.yaml names it.
    package var name: PoolName
    /// Jobs that wait in the queue; nil where the broker cannot tell (it is away, or the queue is missing).
    package var queued: Int?
    /// Jobs taken by workers and not settled, as the nodes report them once a second.
    package var running = 0
    /// Jobs that wait in PostgreSQL for their time. Those in the broker's tiers are counted by tier.
    package var scheduled = 0
    /// Dead jobs nobody has dealt with: open letters, and those on their way to the index.
    package var dead = 0
    /// The size wished for over all nodes: the operator's, or else the one queues.yaml starts with.
    package var size = 0
    /// What the live nodes have of it together: 0 while it is paused, or no node runs it. The dead letters' pool counts
    /// 1 for each node.
    package var localConcurrency = 0
    /// True while an operator has stopped it on all nodes; its jobs wait.
    package var isPaused = false
    /// Kinds of its jobs that an operator has stopped; they wait among the scheduled.
    package var pausedKinds: [JobKind] = []
    /// How many live nodes run it.
    package var nodes = 0
    /// An estimate of the oldest retrying job's age, in seconds: from when the job taken last was enqueued. Nil where
    /// nothing waits or was taken.
    package var oldestAgeSeconds: Double?

    /// A pool nothing is known of yet: counts are 0, and what may be unknown is nil.
    package init(name: PoolName) { self.name = name }
  }

  /// A retry tier of the broker.
  package struct Tier: Sendable, Codable, Equatable {
    /// The tier's pause as queues.yaml writes it, such as `30s`.
    package var name: String
    /// Jobs that wait in it; nil where the broker cannot tell.
    package var retrying: Int?

    /// A tier and what was counted in it.
    package init(name: String, retrying: Int?) {
      self.name = name
      self.retrying = retrying
    }
  }

  /// A figure of what the jobs are about, such as messages that are in doubt.
  package struct Gauge: Sendable, Codable, Equatable {
    /// Its name as Prometheus knows it.
    package var name: String
    /// What it counts, in a sentence.
    package var help: String
    /// A label's name and value that tell it from others of that name; nil where there are none.
    package var label: [String]?
    /// How much.
    package var value: Double

    /// Takes a figure as it was counted.
    package init(_ name: String, help: String, label: [String]? = nil, value: Double) {
      self.name = name
      self.help = help
      self.label = label
      self.value = value
    }
  }

  /// Every pool of queues.yaml, in the file's order.
  package var pools: [Pool] = []
  /// The retry tiers, shortest first; empty where the broker could not be asked.
  package var tiers: [Tier] = []
  /// Returned jobs whose pool is gone.
  package var unroutable: Int?
  /// Jobs committed and not known to be enqueued.
  package var outbox = 0
  /// Age of the oldest of them, in seconds.
  package var outboxOldestSeconds: Double?
  /// All live worker processes, by id; empty where PostgreSQL could not be asked.
  package var nodes: [NodeReport] = []
  /// What the domain counts; gauges of one name stand together.
  package var gauges: [Gauge] = []
  /// What could not be asked, in words.
  package var errors: [String] = []

  /// A status nothing is known of yet; a monitor fills in what it learns.
  package init() {}
}

/// The port to everything that can be counted.
package protocol PlatformStatusSource: Sendable {
  /// Looks at everything now. What cannot be reached is named in ``PlatformStatus/errors``.
  func status() async -> PlatformStatus
}
