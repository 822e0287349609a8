public import Foundation
public import JobConfiguration
public import Jobs
public import Logging
public import ServiceLifecycle
internal import Synchronization
public import Wires

/// The engine: runs pools of workers against a broker and a ledger until it is told to stop, and then drains.
public final class JobProcessor<Ledger: JobLedger>: Service {
  /// How a processor is set up.
  public struct Options: Sendable {
    /// Unique for this process.
    public var node: String
    /// The pools to run; nil: all of the configuration.
    public var pools: Set<PoolName>?
    /// How long running jobs may take to finish when the process stops. 30 s by default.
    public var grace: Duration
    /// A pool that gets nothing for so long is looked at, and its flow rebuilt where jobs wait. 15 s by default: longer
    /// than a change of a queue's leader takes.
    public var silence: Duration
    /// The time of day that deadlines are compared with and follow-up jobs are stamped with; the node's own by default.
    public var now: @Sendable () -> Date

    /// By default every pool of the configuration is run, and running jobs have 30 s to finish.
    public init(
      node: String, pools: Set<PoolName>? = nil, grace: Duration = .seconds(30), silence: Duration = .seconds(15),
      now: @escaping @Sendable () -> Date = { CurrentRuntime.date }
    ) {
      self.node = node
      self.pools = pools
      self.grace = grace
      self.silence = silence
      self.now = now
    }
  }

  private let options: Options
  private let runners: [PoolRunner<Ledger>]
  private let letters: DeadLetterIndexer?
  private let outbox: OutboxPublisher<Ledger>
  private let relay: OutboxRelay<Ledger>
  private let allocator: PoolAllocator<Ledger>
  private let broker: any JobBroker
  private let logger: Logger
  private let draining = Draining()

  /// Puts the engine together; nothing runs before ``run()``.
  public init(
    configuration: JobConfiguration, registry: WorkerRegistry<Ledger.Transaction>, broker: any JobBroker,
    ledger: Ledger,
    directory: any PoolDirectory, letters index: any DeadLetterIndex, limiter: any RateLimiter, options: Options,
    logger: Logger
  ) {
    self.options = options
    self.broker = broker
    self.logger = logger
    let outbox = OutboxPublisher(ledger: ledger, broker: broker, logger: logger)
    let quarantine = Quarantine()
    let isMine = { (name: PoolName) in options.pools?.contains(name) ?? true }
    runners = configuration.workingPools.filter { isMine($0.name) }.map { pool in
      let exits = JobExits(
        pool: pool, ladder: RetryLadder(tiers: configuration.retryTiers), ledger: ledger, broker: broker, logger: logger
      )
      let attempt = JobAttempt(
        pool: pool, node: options.node, workers: registry.workers.filter { pool.jobs.contains($0.key) },
        routes: configuration.routes, ledger: ledger, counting: registry.counting, outbox: outbox, exits: exits,
        quarantine: quarantine, paused: PausedKinds(),
        rate: pool.rate.map { RateGate(pool: pool.name, limit: $0, limiter: limiter) },
        now: options.now, logger: logger)
      return PoolRunner(pool: pool, attempt: attempt, broker: broker, silence: options.silence)
    }
    letters =
      isMine(JobConfiguration.deadLetterPool)
      ? DeadLetterIndexer(
        pools: configuration.workingPools.map(\.name), broker: broker, index: index, silence: options.silence,
        logger: logger)
      : nil
    self.outbox = outbox
    relay = OutboxRelay(
      ledger: ledger, broker: broker, outbox: outbox,
      outage: OutageLog("the outbox cannot be swept", logger: logger))
    allocator = PoolAllocator(
      node: options.node, startedAt: CurrentRuntime.date, directory: directory, runners: runners, letters: letters,
      draining: draining,
      outage: OutageLog("pool sizes cannot be read; they stay as they are", logger: logger))
  }

  /// Nil while jobs flow; otherwise what is in the way.
  public var unreadiness: String? {
    if draining.isOn { return "draining" }
    if !allocator.renewals.hasBegun { return "the pools have no sizes yet" }
    if allocator.isLeaseOver { return "no job can be ended: the ledger is away" }
    if !broker.isReady { return "jobs cannot be enqueued: the broker is away or has an alarm" }
    if let stalled = runners.first(where: { !$0.isFlowing }) { return "pool \(stalled.pool.name) is not consuming" }
    if letters?.isFlowing == false { return "pool \(JobConfiguration.deadLetterPool) is not consuming" }
    return nil
  }

  /// Runs until the service is asked to shut down: then takes nothing more, lets running jobs finish within the grace
  /// time, interrupts and gives back the rest.
  public func run() async throws {
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
          try? await CurrentRuntime.sleep(for: self.options.grace)
        }
        await race.next()
        // Either all is done, or the grace time is over and what runs is interrupted and given back.
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
      for runner in runners { pools.addTask { await runner.run() } }
      if let letters { pools.addTask { await letters.run() } }
    }
  }

  private func drain() {
    draining.begin()
    logger.info("draining: no new jobs are taken")
    for runner in runners { runner.drain() }
    letters?.drain()
  }
}

/// Whether this node is on its way out.
final class Draining: Sendable {
  let signal = Signal()
  private let hasBegun = Mutex(false)

  var isOn: Bool { hasBegun.withLock { $0 } }

  func begin() {
    hasBegun.withLock { $0 = true }
    signal.send()
  }
}
