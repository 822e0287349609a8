package import Jobs

/// One pool of workers.
package struct PoolConfiguration: Sendable, Equatable {
  /// Also the name of the pool's queue.
  package var name: PoolName
  /// The kinds of job that go to this pool.
  package var jobs: [JobKind]
  /// Concurrent jobs, over all nodes together.
  package var workers: WorkerCounts
  /// How long one attempt may take before it is cancelled.
  package var timeout: Duration
  /// Kinds with a timeout of their own.
  package var timeouts: [JobKind: Duration]
  package var retry: RetryPolicy
  /// A job is dead when this many processes have died while they worked on it.
  package var maxCrashes: Int
  /// For workers that take many jobs at once; nil: one by one.
  package var batch: BatchConfiguration?
  /// How fast jobs may begin, over all nodes together; nil: no limit.
  package var rate: RateLimit?
  /// False: of an accepted job only ids are recorded until it ends, not its body.
  package var recordsBodies: Bool

  /// Checks nothing. The defaults are those of queues.yaml: 30 s for an attempt, the policy's own retries, dead after
  /// 3 crashes, no batches, bodies recorded.
  package init(
    name: PoolName, jobs: [JobKind], workers: WorkerCounts, timeout: Duration = .seconds(30),
    timeouts: [JobKind: Duration] = [:], retry: RetryPolicy = RetryPolicy(), maxCrashes: Int = 3,
    batch: BatchConfiguration? = nil, rate: RateLimit? = nil, recordsBodies: Bool = true
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
    self.recordsBodies = recordsBodies
  }

  package func timeout(of kind: JobKind) -> Duration { timeouts[kind] ?? timeout }
}

/// A pool's size limits. Their order and ranges are checked when queues.yaml is read, not here.
package struct WorkerCounts: Sendable, Equatable {
  /// 0 to 10,000. A paused pool has 0 whatever this is.
  package var min: Int
  /// The size until an operator sets another.
  package var start: Int
  /// 1 to 10,000.
  package var max: Int

  package init(min: Int, start: Int, max: Int) {
    self.min = min
    self.start = start
    self.max = max
  }
}

package struct BatchConfiguration: Sendable, Equatable {
  /// Most jobs in a batch, 1 to 1,000; 100 where queues.yaml names none.
  package var size: Int
  /// Longest wait for a batch to fill, at most 10 s; 10 ms where queues.yaml names none.
  package var wait: Duration

  package init(size: Int, wait: Duration) {
    self.size = size
    self.wait = wait
  }
}
