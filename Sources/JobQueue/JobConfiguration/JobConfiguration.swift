public import Jobs

/// All that queues.yaml says, checked.
public struct JobConfiguration: Sendable, Equatable {
  /// The pauses the broker keeps jobs for, shortest first.
  public var retryTiers: [Duration]
  /// The pools in the file's order.
  public var pools: [PoolConfiguration]

  /// Puts a configuration together and checks nothing; ``init(yaml:file:workers:)`` does.
  public init(retryTiers: [Duration], pools: [PoolConfiguration]) {
    self.retryTiers = retryTiers
    self.pools = pools
  }

  /// The name of the pool that indexes dead letters; every file has it, and it takes no job kinds.
  public static let deadLetterPool: PoolName = "dead.letters"

  /// The pool of that name.
  public func pool(_ name: PoolName) -> PoolConfiguration? { pools.first { $0.name == name } }

  /// The pools that do jobs: all but ``deadLetterPool``.
  public var workingPools: [PoolConfiguration] { pools.filter { $0.name != Self.deadLetterPool } }

  /// Which pool does which kind.
  public var routes: [JobKind: PoolName] {
    var routes: [JobKind: PoolName] = [:]
    for pool in pools { for kind in pool.jobs { routes[kind] = pool.name } }
    return routes
  }
}

/// One pool of workers.
public struct PoolConfiguration: Sendable, Equatable {
  /// The pool's name in queues.yaml, which is also its queue's name.
  public var name: PoolName
  /// The kinds of job that go to this pool.
  public var jobs: [JobKind]
  /// Concurrent jobs, over all nodes together: never fewer, at first, never more.
  public var workers: WorkerCounts
  /// How long one attempt may take before it is cancelled.
  public var timeout: Duration
  /// The same for kinds that have a time of their own.
  public var timeouts: [JobKind: Duration]
  /// How often a failed job is tried again, and after what pauses.
  public var retry: RetryPolicy
  /// How many processes may die while working on a job that came back, before it is dead.
  public var maxCrashes: Int
  /// For workers that take many jobs at once; nil: one by one.
  public var batch: BatchConfiguration?
  /// How fast jobs may begin, over all nodes together; nil: as fast as they can.
  public var rate: RateLimit?

  /// Puts a pool together and checks nothing. The defaults are those of queues.yaml: 30 s for an attempt, the policy's
  /// own retries, dead after 3 crashes, no batches.
  public init(
    name: PoolName, jobs: [JobKind], workers: WorkerCounts, timeout: Duration = .seconds(30),
    timeouts: [JobKind: Duration] = [:], retry: RetryPolicy = RetryPolicy(), maxCrashes: Int = 3,
    batch: BatchConfiguration? = nil, rate: RateLimit? = nil
  ) {
    self.name = name
    self.jobs = jobs
    self.workers = workers
    self.timeout = timeout
    self.timeouts = timeouts
    self.retry = retry
    self.maxCrashes = maxCrashes
    self.batch = batch
    self.rate = rate
  }
}

extension PoolConfiguration {
  /// How long one attempt of a job of this kind may take.
  public func timeout(of kind: JobKind) -> Duration { timeouts[kind] ?? timeout }
}

/// A pool's size limits.
public struct WorkerCounts: Sendable, Equatable {
  /// The size is never less, 0 to 10,000, unless the pool is paused.
  public var min: Int
  /// The size until an operator sets another.
  public var start: Int
  /// The size is never more, 1 to 10,000.
  public var max: Int

  /// Takes the numbers as they are; that they grow, and their ranges, is checked where queues.yaml is read.
  public init(min: Int, start: Int, max: Int) {
    self.min = min
    self.start = start
    self.max = max
  }
}

/// How batches are gathered.
public struct BatchConfiguration: Sendable, Equatable {
  /// Most jobs in a batch, 1 to 1,000.
  public var size: Int
  /// Longest wait for a batch to fill.
  public var wait: Duration

  /// Takes the values as they are; queues.yaml's own defaults are 100 jobs and 10 ms, the longest wait 10 s.
  public init(size: Int, wait: Duration) {
    self.size = size
    self.wait = wait
  }
}
