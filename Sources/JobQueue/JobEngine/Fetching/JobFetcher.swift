internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Runs one pool on this node: fetches deliveries up to the prefetch limit, starts as many jobs as the local
/// concurrency allows, and drains on shutdown.
final class JobFetcher<Store: JobStore>: Sendable {
  let pool: PoolConfiguration
  private let executor: JobExecutor<Store>
  private let subscription: any JobSubscription
  private let state: Mutex<State>
  private let signal = Signal()
  private let stallMonitor: StallMonitor
  private let heldBytes: HeldBytes

  private struct State {
    var buffer: PrefetchBuffer
    var limit: PrefetchLimit
    var lastFetchedEnqueuedAt: Date?

    /// Fewer jobs are running or prefetched than the broker may deliver.
    var hasCapacity: Bool { !buffer.isDraining && buffer.totalJobs < limit.current }
  }

  /// How often it is checked whether prefetched jobs have waited for too long.
  private static var overdueInterval: Duration { .seconds(20) }

  /// Starts with a local concurrency of zero, until ``resize(to:nodes:)`` is called.
  ///
  /// - Parameter heldBytes: shared by all fetchers of the process.
  init(
    pool: PoolConfiguration, executor: JobExecutor<Store>, broker: any JobBroker, stallTimeout: Duration,
    heldBytes: HeldBytes
  ) {
    self.pool = pool
    self.executor = executor
    self.heldBytes = heldBytes
    let timeout = pool.timeouts.values.reduce(pool.timeout, max)
    let batchKinds = pool.batch == nil ? [] : executor.workers.filter { $0.value.takesBatches }.map(\.key)
    let buffer = PrefetchBuffer(
      size: 0, batchKinds: Set(batchKinds), batchSize: pool.batch?.size ?? 1, batchWait: pool.batch?.wait ?? .zero,
      waitMax: WorkerSlot.holdMax - timeout)
    state = Mutex(State(buffer: buffer, limit: PrefetchLimit(batchSize: pool.batch?.size ?? 1, timeout: timeout)))
    subscription = broker.subscribe(pool: pool.name, capacity: 0)
    stallMonitor = StallMonitor(subscription, pool: pool.name, stallTimeout: stallTimeout, logger: executor.logger)
  }

  /// True while the consumer is alive and not stalled.
  var isConsuming: Bool { subscription.isConsuming && !stallMonitor.isStalled }

  /// What this node reports of the pool with its lease.
  var report: PoolReport {
    let retrying = executor.completer.retryingJobs.count
    return state.withLock {
      PoolReport(
        localConcurrency: $0.buffer.size, running: $0.buffer.totalJobs,
        lastFetchedEnqueuedAt: $0.lastFetchedEnqueuedAt, retrying: retrying)
    }
  }

  /// Sets this node's part of the pool's size. Growing takes effect at once; shrinking starts nothing new until enough
  /// jobs have ended.
  ///
  /// - Parameter nodes: how many nodes share the pool, this one included.
  func resize(to localConcurrency: Int, nodes: Int) {
    executor.throttle?.resize(to: localConcurrency, nodes: nodes)
    // The prefetch limit is set with the lock held: an older one must not overtake it.
    let surplus: [JobDelivery]? = change { state in
      guard state.buffer.size != localConcurrency else { return nil }
      state.buffer.size = localConcurrency
      let limit = state.limit.resize(to: localConcurrency)
      subscription.setCapacity(limit)
      return state.buffer.trim(to: limit)
    }
    guard let surplus else { return }
    executor.metrics.localConcurrency(localConcurrency)
    // Jobs prefetched for workers that are gone can run on other nodes; when held for long, the broker takes them back.
    for delivery in surplus { delivery.requeue() }
    signal.send()
  }

  /// Sets the kinds that are not started from now on.
  func pause(_ kinds: Set<JobKind>) { executor.pausedKinds.set(kinds) }

  /// Unparks jobs whose kind is no longer paused, 1,000 at a time.
  func unpark() async throws {
    while let pendingUnpark = executor.pausedKinds.pendingUnpark(now: TimeSource.now) {
      try Task.checkCancellation()
      let count = try await executor.store.unpark(pool: pool.name, except: pendingUnpark.pausedKinds, limit: 1_000)
      if count < 1_000 { executor.pausedKinds.unparked(pendingUnpark, at: TimeSource.now) }
    }
  }

  /// Runs until ``drain()`` was called and all jobs have ended. Cancelling interrupts the running jobs and requeues
  /// them.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.fetch() }
      group.addTask { await self.stallMonitor.run { self.state.withLock { $0.hasCapacity } } }
      group.addTask {
        while (try? await TimeSource.sleep(for: Self.overdueInterval)) != nil { self.signal.send() }
      }
      await dispatch()
      group.cancelAll()
    }
  }

  /// Fetches nothing more, requeues what was not started, and lets running jobs finish.
  func drain() {
    subscription.cancel()
    executor.throttle?.drain()
    let unbegun = change { $0.buffer.drain() }
    for delivery in unbegun { delivery.requeue() }
    signal.send()
  }

  /// Changes the state, and with it the bytes that this process holds.
  private func change<Value>(_ body: (inout State) -> Value) -> Value {
    state.withLock { state in
      let before = state.buffer.totalBytes
      defer { heldBytes.change(by: state.buffer.totalBytes - before) }
      return body(&state)
    }
  }

  private func fetch() async {
    for await deliveries in subscription.deliveries {
      stallMonitor.arrived()
      let unwanted = change { add(deliveries, to: &$0) }
      for delivery in unwanted { delivery.requeue() }
      signal.send()
    }
  }

  /// Returns the deliveries to requeue.
  private func add(_ deliveries: [JobDelivery], to state: inout State) -> [JobDelivery] {
    // Nothing would start them. What was requeued when the local concurrency fell to zero may come straight back.
    if state.limit.current == 0 { return deliveries }
    if case .job(let envelope) = deliveries.last?.content { state.lastFetchedEnqueuedAt = envelope.enqueuedAt }
    let bytesMax = heldBytes.bytesMax(holding: state.buffer.totalBytes)
    let unwanted = state.buffer.add(deliveries, now: TimeSource.now, bytesMax: bytesMax)
    if let limit = state.limit.arrived(sizes: deliveries.lazy.map(\.body.count)) { subscription.setCapacity(limit) }
    guard !unwanted.isEmpty, !state.buffer.isDraining else { return unwanted }
    executor.metrics.refused(unwanted.count)
    executor.logger.warning(
      "bodies are too large to hold as many jobs as usual; fetching fewer at a time",
      metadata: ["pool": "\(pool.name)", "held_bytes": "\(state.buffer.totalBytes)", "requeued": "\(unwanted.count)"])
    subscription.setCapacity(state.limit.refused(keeping: state.buffer.totalJobs))
    return unwanted
  }

  /// The place of jobs that are begun now.
  private func slot(since arrivedAt: ContinuousClock.Instant) -> WorkerSlot {
    WorkerSlot(
      arrivedAt: arrivedAt,
      leave: {
        // Half of what the broker delivers must remain for other jobs.
        let hasLeft = self.state.withLock { $0.buffer.leave(max: $0.limit.current / 2) }
        if hasLeft { self.signal.send() }
        return hasLeft
      },
      takeBack: { self.state.withLock { $0.buffer.takeBack() } })
  }

  private func dispatch() async {
    await withDiscardingTaskGroup { group in
      var signals = signal.stream.makeAsyncIterator()
      while true {
        switch change({ $0.buffer.next(now: TimeSource.now) }) {
        case .begin(let deliveries, let arrivedAt):
          group.addTask {
            await self.executor.execute(deliveries, in: self.slot(since: arrivedAt))
            self.change { $0.buffer.finished(deliveries) }
            self.signal.send()
          }
        case .requeue(let deliveries):
          executor.logger.warning(
            "prefetched jobs waited so long that the broker would take them back; they are requeued, untouched",
            metadata: ["pool": "\(pool.name)", "jobs": "\(deliveries.count)"])
          for delivery in deliveries { delivery.requeue() }
        case .wait(let until):
          if let until {
            group.addTask {
              try? await TimeSource.value.sleep(until: until)
              self.signal.send()
            }
          }
          let (jobs, bytes) = state.withLock { ($0.buffer.totalJobs, $0.buffer.totalBytes) }
          executor.metrics.running(jobs)
          executor.metrics.held(bytes: bytes)
          // A cancelled task gets nil: then the running jobs are being interrupted, and draining ends the loop.
          if await signals.next() == nil {
            drain()
            return
          }
        case .finished: return
        }
      }
    }
  }
}
