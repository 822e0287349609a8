package import Jobs

/// All that queues.yaml says, checked.
package struct JobConfiguration: Sendable, Equatable {
  /// The pauses the broker keeps jobs for, shortest first.
  package var retryTiers: [Duration]
  /// The pools in the file's order.
  package var pools: [PoolConfiguration]

  /// Puts a configuration together and checks nothing; ``init(yaml:file:workers:)`` does.
  package init(retryTiers: [Duration], pools: [PoolConfiguration]) {
    self.retryTiers = retryTiers
    self.pools = pools
  }

  /// The name of the pool that indexes dead letters; every file has it, and it takes no job kinds.
  package static let deadLetterPool: PoolName = "dead.letters"

  /// The pool of that name.
  package func pool(_ name: PoolName) -> PoolConfiguration? { pools.first { $0.name == name } }

  /// The pools that do jobs: all but ``deadLetterPool``.
  package var workingPools: [PoolConfiguration] { pools.filter { $0.name != Self.deadLetterPool } }

  /// Which pool does which kind.
  package var routes: [JobKind: PoolName] {
    var routes: [JobKind: PoolName] = [:]
    for pool in pools { for kind in pool.jobs { routes[kind] = pool.name } }
    return routes
  }
}

/// One pool of workers.
package struct PoolConfiguration: Sendable, Equatable {
  /// The pool's name in queues.yaml, which is also its queue's name.
  package var name: PoolName
  /// The kinds of job that go to this pool.
  package var jobs: [JobKind]
  /// Concurrent jobs, over all nodes together: never fewer, at first, never more.
  package var workers: WorkerCounts
  /// How long one attempt may take before it is cancelled.
  package var timeout: Duration
  /// The same for kinds that have a time of their own.
  package var timeouts: [JobKind: Duration]
  /// How often a failed job is tried again, and after what pauses.
  package var retry: RetryPolicy
  /// How many processes may die while working on a job that came back, before it is dead.
  package var maxCrashes: Int
  /// For workers that take many jobs at once; nil: one by one.
  package var batch: BatchConfiguration?
  /// How fast jobs may begin, over all nodes together; nil: as fast as they can.
  package var rate: RateLimit?

  /// Puts a pool together and checks nothing. The defaults are those of queues.yaml: 30 s for an attempt, the policy's
  /// own retries, dead after 3 crashes, no batches.
  package init(
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
  package func timeout(of kind: JobKind) -> Duration { timeouts[kind] ?? timeout }
}

/// A pool's size limits.
package struct WorkerCounts: Sendable, Equatable {
  /// The size is never less, 0 to 10,000, unless the pool is paused.
  package var min: Int
  /// The size until an operator sets another.
  package var start: Int
  /// The size is never more, 1 to 10,000.
  package var max: Int

  /// Takes the numbers as they are; that they grow, and their ranges, is checked where queues.yaml is read.
  package init(min: Int, start: Int, max: Int) {
    self.min = min
    self.start = start
    self.max = max
  }
}

/// How batches are gathered.
package struct BatchConfiguration: Sendable, Equatable {
  /// Most jobs in a batch, 1 to 1,000.
  package var size: Int
  /// Longest wait for a batch to fill.
  package var wait: Duration

  /// Takes the values as they are; queues.yaml's own defaults are 100 jobs and 10 ms, the longest wait 10 s.
  package init(size: Int, wait: Duration) {
    self.size = size
    self.wait = wait
  }
}
