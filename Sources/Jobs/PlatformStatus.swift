
/// What monitoring and operators see: depths of queues, sizes of pools, and who works.
public struct PlatformStatus: Sendable, Codable, Equatable {
  /// One pool.
  public struct Pool: Sendable, Codable, Equatable {
    public var name: PoolName
    /// Jobs that wait in the queue; nil where the broker cannot tell (it is away, or the queue is missing).
    public var ready: Int?
    /// Jobs taken by workers and not settled, as the nodes report them once a second.
    public var inHand = 0
    /// Jobs that wait in PostgreSQL for their time. Those in the broker's tiers are counted by tier.
    public var delayed = 0
    /// Dead jobs nobody has dealt with: open letters, and those on their way to the index.
    public var dead = 0
    /// The size wished for over all nodes, and what the nodes add up to.
    public var size = 0
    public var share = 0
    public var isPaused = false
    public var nodes = 0
    /// An estimate of the oldest waiting job's age, in seconds: from when the job taken last was enqueued. Nil where nothing waits or was taken.
    public var oldestSeconds: Double?

    public init(name: PoolName) { self.name = name }
  }

  /// A retry tier of the broker.
  public struct Tier: Sendable, Codable, Equatable {
    public var name: String
    public var waiting: Int?

    public init(name: String, waiting: Int?) {
      self.name = name
      self.waiting = waiting
    }
  }

  public var pools: [Pool] = []
  public var tiers: [Tier] = []
  /// Returned jobs whose pool is gone.
  public var unroutable: Int?
  /// Jobs committed and not known to be enqueued.
  public var outbox = 0
  /// Age of the oldest of them, in seconds.
  public var outboxOldestSeconds: Double?
  public var nodes: [NodeReport] = []
  /// What could not be asked, in words.
  public var troubles: [String] = []

  public init() {}
}

/// The port to everything that can be counted.
public protocol PlatformMonitor: Sendable {
  /// Looks at everything now. What cannot be reached is named in ``PlatformStatus/troubles``.
  func status() async -> PlatformStatus
}
