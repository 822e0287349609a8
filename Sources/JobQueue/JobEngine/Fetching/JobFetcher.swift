internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Runs one pool on this node: takes jobs while there is room, begins as many as its share allows, and drains when
/// told.
final class JobFetcher<Store: JobStore>: Sendable {
  let pool: PoolConfiguration
  private let executor: JobExecutor<Store>
  private let subscription: any JobSubscription
  private let state: Mutex<State>
  private let signal = Signal()
  private let stallMonitor: StallMonitor

  private struct State {
    var buffer: PrefetchBuffer
    var capacity: PrefetchLimit
    var lastFetchedEnqueuedAt: Date?

    /// The broker has been asked for more than is in hand.
    var wantsMore: Bool { !buffer.isDraining && buffer.totalJobs < capacity.current }
  }

  /// Begins with a share of zero; ``resize(to:)`` sets it going.
  init(pool: PoolConfiguration, executor: JobExecutor<Store>, broker: any JobBroker, stallTimeout: Duration) {
    self.pool = pool
    self.executor = executor
    let batchKinds = pool.batch == nil ? [] : executor.workers.filter { $0.value.takesBatches }.map(\.key)
    let buffer = PrefetchBuffer(
      size: 0, batchKinds: Set(batchKinds), batchSize: pool.batch?.size ?? 1, batchWait: pool.batch?.wait ?? .zero)
    state = Mutex(State(buffer: buffer, capacity: PrefetchLimit(batchSize: pool.batch?.size ?? 1)))
    subscription = broker.subscribe(pool: pool.name, capacity: 0)
    stallMonitor = StallMonitor(subscription, pool: pool.name, stallTimeout: stallTimeout, logger: executor.logger)
  }

  /// True while the broker hands out jobs as wished.
  var isConsuming: Bool { subscription.isConsuming && !stallMonitor.isStalled }

  /// What this node tells the others of the pool.
  var report: PoolReport {
    state.withLock {
      PoolReport(
        localConcurrency: $0.buffer.size, running: $0.buffer.totalJobs, lastFetchedEnqueuedAt: $0.lastFetchedEnqueuedAt)
    }
  }

  /// Sets this node's share of the pool's size. Growing takes effect at once; shrinking begins nothing new until enough
  /// has ended.
  ///
  /// - Parameter nodes: how many nodes share the pool, this one included.
  func resize(to share: Int, nodes: Int) {
    executor.rate?.nodes = nodes
    // The wish goes out with the lock held: an older one must not overtake it.
    let surplus: [JobDelivery]? = state.withLock { state in
      guard state.buffer.size != share else { return nil }
      state.buffer.size = share
      let capacity = state.capacity.resize(to: share)
      subscription.setCapacity(capacity)
      return state.buffer.trim(to: capacity)
    }
    guard let surplus else { return }
    JobMetrics.share(share, pool: pool.name)
    // Jobs held ready for workers that are no more are somebody else's; held for long, the broker would take them back.
    for delivery in surplus { delivery.requeue() }
    signal.send()
  }

  /// Which kinds are not to be begun from now on.
  func pause(_ kinds: Set<JobKind>) { executor.paused.set(kinds) }

  /// Lets jobs come back that were put aside and whose kind is paused no longer, some at a time.
  func unpark() async throws {
    while let pendingUnpark = executor.paused.pendingUnpark(now: TimeSource.now) {
      let count = try await executor.store.unpark(pool: pool.name, except: pendingUnpark.pausedKinds, limit: 1_000)
      if count < 1_000 { executor.paused.unparked(pendingUnpark, at: TimeSource.now) }
    }
  }

  /// Runs until ``drain()`` was called and all jobs have ended. Cancelling interrupts the running jobs and gives them
  /// back.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.take() }
      group.addTask { await self.stallMonitor.run { self.state.withLock { $0.wantsMore } } }
      await dispatch()
      group.cancelAll()
    }
  }

  /// Takes nothing more, gives back what has not begun, and lets the rest finish.
  func drain() {
    subscription.cancel()
    let unbegun = state.withLock { $0.buffer.drain() }
    for delivery in unbegun { delivery.requeue() }
    signal.send()
  }

  private func take() async {
    for await deliveries in subscription.deliveries {
      stallMonitor.arrived()
      let unwanted = state.withLock { state in
        // Without a share nothing would begin them. What was requeued when it was lost may have come straight back.
        if state.capacity.current == 0 { return deliveries }
        if case .job(let envelope) = deliveries.last?.content { state.lastFetchedEnqueuedAt = envelope.enqueuedAt }
        let unwanted = state.buffer.add(deliveries, now: TimeSource.now)
        if let capacity = state.capacity.arrived(sizes: deliveries.lazy.map(\.body.count)) {
          subscription.setCapacity(capacity)
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
          JobMetrics.inHand(state.withLock { $0.buffer.totalJobs }, pool: pool.name)
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
