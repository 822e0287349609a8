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

  private struct State {
    var buffer: PrefetchBuffer
    var limit: PrefetchLimit
    var lastFetchedEnqueuedAt: Date?

    /// Fewer jobs are running or prefetched than the broker may deliver.
    var hasCapacity: Bool { !buffer.isDraining && buffer.totalJobs < limit.current }
  }

  /// Starts with a local concurrency of zero, until ``resize(to:nodes:)`` is called.
  init(pool: PoolConfiguration, executor: JobExecutor<Store>, broker: any JobBroker, stallTimeout: Duration) {
    self.pool = pool
    self.executor = executor
    let batchKinds = pool.batch == nil ? [] : executor.workers.filter { $0.value.takesBatches }.map(\.key)
    let buffer = PrefetchBuffer(
      size: 0, batchKinds: Set(batchKinds), batchSize: pool.batch?.size ?? 1, batchWait: pool.batch?.wait ?? .zero)
    state = Mutex(State(buffer: buffer, limit: PrefetchLimit(batchSize: pool.batch?.size ?? 1)))
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
    executor.throttle?.nodes = nodes
    // The prefetch limit is set with the lock held: an older one must not overtake it.
    let surplus: [JobDelivery]? = state.withLock { state in
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
      await dispatch()
      group.cancelAll()
    }
  }

  /// Fetches nothing more, requeues what was not started, and lets running jobs finish.
  func drain() {
    subscription.cancel()
    let unbegun = state.withLock { $0.buffer.drain() }
    for delivery in unbegun { delivery.requeue() }
    signal.send()
  }

  private func fetch() async {
    for await deliveries in subscription.deliveries {
      stallMonitor.arrived()
      let unwanted = state.withLock { state in
        // Nothing would start them. What was requeued when the local concurrency fell to zero may come straight back.
        if state.limit.current == 0 { return deliveries }
        if case .job(let envelope) = deliveries.last?.content { state.lastFetchedEnqueuedAt = envelope.enqueuedAt }
        let unwanted = state.buffer.add(deliveries, now: TimeSource.now)
        if let limit = state.limit.arrived(sizes: deliveries.lazy.map(\.body.count)) {
          subscription.setCapacity(limit)
        }
        return unwanted
      }
      for delivery in unwanted { delivery.requeue() }
      signal.send()
    }
  }

  private func dispatch() async {
    await withDiscardingTaskGroup { group in
      var signals = signal.stream.makeAsyncIterator()
      while true {
        switch state.withLock({ $0.buffer.next(now: TimeSource.now) }) {
        case .begin(let deliveries):
          group.addTask {
            await self.executor.execute(deliveries)
            self.state.withLock { $0.buffer.finished(deliveries) }
            self.signal.send()
          }
        case .wait(let until):
          if let until {
            group.addTask {
              try? await TimeSource.value.sleep(until: until)
              self.signal.send()
            }
          }
          executor.metrics.running(state.withLock { $0.buffer.totalJobs })
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
