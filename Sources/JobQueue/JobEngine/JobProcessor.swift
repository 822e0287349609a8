internal import ClientLoop
package import Foundation
package import JobConfiguration
package import Jobs
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// The engine as a service: runs pools of workers against a broker and a store, and drains on graceful shutdown.
package final class JobProcessor<Store: JobStore>: Service {
  package struct Options: Sendable {
    /// Unique for this process.
    package var node: String
    /// The pools to run; nil: all of the configuration.
    package var pools: Set<PoolName>?
    /// How long running jobs may take to finish when the process stops. 30 s by default.
    package var grace: Duration
    /// A pool that gets no delivery for this long is checked, and its consumer restarted where jobs are ready. 15 s by
    /// default: longer than a change of a queue's leader takes.
    package var stallTimeout: Duration
    /// The time of day that deadlines are compared with and follow-up jobs are stamped with; the node's own by default.
    package var now: @Sendable () -> Date
    /// What the process has of its machine's limits; unknown by default. It is called every second and must not block.
    package var resources: @Sendable () -> NodeResources?

    package init(
      node: String, pools: Set<PoolName>? = nil, grace: Duration = .seconds(30), stallTimeout: Duration = .seconds(15),
      now: @escaping @Sendable () -> Date = { TimeSource.date },
      resources: @escaping @Sendable () -> NodeResources? = { nil }
    ) {
      self.node = node
      self.pools = pools
      self.grace = grace
      self.stallTimeout = stallTimeout
      self.now = now
      self.resources = resources
    }
  }

  private let options: Options
  private let fetchers: [JobFetcher<Store>]
  private let deadLetterIndexer: DeadLetterIndexer?
  private let outbox: OutboxPublisher<Store>
  private let relay: OutboxRelay<Store>
  private let allocator: ConcurrencyAllocator<Store>
  private let broker: any JobBroker
  private let logger: Logger
  private let draining = DrainState()

  /// Nothing runs before ``run()``.
  package init(
    configuration: JobConfiguration, registry: WorkerRegistry<Store.Transaction>, broker: any JobBroker,
    store: Store,
    directory: any PoolDirectory, deadLetterIndex: any DeadLetterIndex, limiter: any RateLimiter, options: Options,
    logger: Logger
  ) {
    self.options = options
    self.broker = broker
    self.logger = logger
    let outbox = OutboxPublisher(store: store, broker: broker, logger: logger)
    let poisonLock = PoisonJobLock()
    let heldBytes = HeldBytes()
    let isSelected = { (name: PoolName) in options.pools?.contains(name) ?? true }
    fetchers = configuration.workingPools.filter { isSelected($0.name) }.map { pool in
      let metrics = PoolMetrics(pool: pool.name, kinds: pool.jobs)
      let completer = JobCompleter(
        pool: pool, retryTiers: RetryTiers(configuration.retryTiers), store: store, broker: broker,
        metrics: metrics, logger: logger)
      let executor = JobExecutor(
        pool: pool, node: options.node, workers: registry.workers.filter { pool.jobs.contains($0.key) },
        routes: configuration.routes, store: store, countsJobFactory: registry.countsJobFactory, outbox: outbox,
        completer: completer,
        poisonLock: poisonLock, pausedKinds: PausedKinds(),
        throttle: pool.rate.map { PoolThrottle(pool: pool.name, limit: $0, limiter: limiter) },
        metrics: metrics, now: options.now,
        contention: OutageLog(
          """
          jobs of pool \(pool.name) wait for locks, or PostgreSQL cancels their statements (see its statement_timeout and \
          pg_locks); they are snoozed and spend no attempt
          """, logger: logger),
        logger: logger)
      return JobFetcher(
        pool: pool, executor: executor, broker: broker, stallTimeout: options.stallTimeout, heldBytes: heldBytes)
    }
    deadLetterIndexer =
      isSelected(JobConfiguration.deadLetterPool)
      ? DeadLetterIndexer(
        pools: configuration.workingPools.map(\.name), broker: broker, index: deadLetterIndex,
        stallTimeout: options.stallTimeout,
        logger: logger)
      : nil
    self.outbox = outbox
    relay = OutboxRelay(
      store: store, broker: broker, outbox: outbox,
      outage: OutageLog("outbox relay failed", logger: logger))
    allocator = ConcurrencyAllocator(
      node: options.node, startedAt: TimeSource.date, directory: directory, fetchers: fetchers,
      deadLetterIndexer: deadLetterIndexer, resources: options.resources,
      draining: draining,
      outage: OutageLog("pool settings cannot be read; concurrency unchanged", logger: logger),
      unparkOutage: OutageLog("jobs of resumed kinds cannot be unparked; they stay parked", logger: logger))
  }

  /// Why the node is not ready; nil while it is connected and consuming.
  package var notReadyReason: String? {
    if draining.isDraining { return "draining" }
    if !allocator.leaseTracker.hasBegun { return "pool concurrency not allocated yet" }
    if allocator.isLeaseExpired { return "job store unavailable" }
    if !broker.isReady { return "broker unavailable or blocked by an alarm" }
    if let stalled = fetchers.first(where: { !$0.isConsuming }) { return "pool \(stalled.pool.name) is not consuming" }
    if deadLetterIndexer?.isConsuming == false { return "pool \(JobConfiguration.deadLetterPool) is not consuming" }
    return nil
  }

  /// Runs until the service is asked to shut down: then fetches nothing more, lets running jobs finish within the grace
  /// time, and interrupts and requeues the rest.
  package func run() async throws {
    await withGracefulShutdownHandler {
      await runUntilDrained()
    } onGracefulShutdown: {
      self.drain()
    }
  }

  private func runUntilDrained() async {
    await withDiscardingTaskGroup { background in
      background.addTask { await self.relay.run() }
      background.addTask { await self.outbox.run() }
      background.addTask { await self.allocator.run() }
      await withTaskGroup(of: Void.self) { race in
        race.addTask { await self.runPools() }
        race.addTask {
          for await _ in self.draining.signal.stream { break }
          try? await TimeSource.sleep(for: self.options.grace)
        }
        await race.next()
        // Either every pool has drained, or the grace time is over and running jobs are interrupted and requeued.
        race.cancelAll()
      }
      background.cancelAll()
    }
    await outbox.flush()
    await allocator.release()
    logger.info("drained")
  }

  /// Ends when every pool has drained.
  private func runPools() async {
    await withDiscardingTaskGroup { pools in
      for fetcher in fetchers { pools.addTask { await fetcher.run() } }
      if let deadLetterIndexer { pools.addTask { await deadLetterIndexer.run() } }
    }
  }

  private func drain() {
    draining.start()
    logger.info("draining: no new jobs are started")
    for fetcher in fetchers { fetcher.drain() }
    deadLetterIndexer?.drain()
  }
}
