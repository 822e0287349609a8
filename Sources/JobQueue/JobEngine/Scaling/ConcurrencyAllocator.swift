internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs

/// Renews this node's lease and sets its local concurrency: a pool's size, the operator's or queues.yaml's, divided
/// among the live nodes.
struct ConcurrencyAllocator<Store: JobStore>: Sendable {
  let node: String
  let startedAt: Date
  let directory: any PoolDirectory
  let fetchers: [JobFetcher<Store>]
  let deadLetterIndexer: DeadLetterIndexer?
  let resources: @Sendable () -> NodeResources?
  let draining: DrainState
  let outage: OutageLog
  let unparkOutage: OutageLog
  let leaseTracker = LeaseTracker()

  /// How often the lease is renewed, and so the longest a change can stay unseen when a notification is lost.
  private var interval: Duration { .seconds(1) }
  /// How long a silent node keeps its part of the pools.
  private var lease: Duration { .seconds(4) }
  /// The store has been unavailable for longer than the lease lasts.
  var isLeaseExpired: Bool { leaseTracker.isOverdue(lease + interval, at: TimeSource.now) }

  /// Allocates until the task is cancelled.
  func run() async {
    let signal = Signal()
    await withDiscardingTaskGroup { group in
      group.addTask { await directory.watch { signal.send() } }
      group.addTask {
        while !Task.isCancelled {
          try? await TimeSource.sleep(for: interval)
          signal.send()
        }
      }
      group.addTask { await unpark() }
      await allocate()
      for await _ in signal.stream { await allocate() }
    }
  }

  /// Unparks until the task is cancelled. In a task of its own: the lease must be renewed however long this takes. What
  /// fails is tried again less and less often: the store may be overloaded.
  private func unpark() async {
    var backoff = Backoff(initial: .seconds(1), max: .seconds(30))
    while (try? await TimeSource.sleep(for: interval / 4)) != nil {
      guard leaseTracker.hasBegun else { continue }
      do {
        for fetcher in fetchers { try await fetcher.unpark() }
        unparkOutage.succeeded()
        backoff.reset()
      } catch {
        if Task.isCancelled { return }
        unparkOutage.failed(error)
        try? await TimeSource.sleep(for: backoff.next())
      }
    }
  }

  /// Ends the lease, so that the other nodes take over at once.
  ///
  /// Shielded, because this task may be cancelled by then.
  func release() async { await TimeSource.withCancellationShield { try? await directory.releaseLease(node) } }

  /// Reports, reads, and sets the local concurrency, which stays as it is while PostgreSQL is unavailable.
  func allocate() async {
    // The other nodes take over now, not when the last job has ended.
    if draining.isDraining { return await release() }
    var pools: [String: PoolReport] = [:]
    for fetcher in fetchers { pools[fetcher.pool.name.rawValue] = fetcher.report }
    if let deadLetterIndexer { pools[JobConfiguration.deadLetterPool.rawValue] = deadLetterIndexer.report }
    do {
      let report = NodeReport(id: node, startedAt: startedAt, pools: pools, resources: resources())
      let (settings, nodes) = try await directory.renewLease(report, lease: lease)
      // Before anything is fetched: a kind may have been paused because it does harm.
      for fetcher in fetchers { fetcher.pause(settings[fetcher.pool.name]?.pausedKinds ?? []) }
      for fetcher in fetchers {
        let total = Self.size(of: fetcher.pool, settings[fetcher.pool.name])
        let poolNodes = nodes.filter { $0.pools.keys.contains(fetcher.pool.name.rawValue) }.map(\.id)
        fetcher.resize(
          to: LocalConcurrency.of(total, node: node, among: poolNodes), nodes: max(1, poolNodes.count))
      }
      deadLetterIndexer?.setPaused(settings[JobConfiguration.deadLetterPool]?.isPaused ?? false)
      leaseTracker.renewed(at: TimeSource.now)
      outage.succeeded()
    } catch {
      if Task.isCancelled { return }
      outage.failed(error)
    }
  }

  /// A pool's size over all nodes.
  static func size(of pool: PoolConfiguration, _ setting: PoolSetting?) -> Int {
    if setting?.isPaused == true { return 0 }
    return min(max(setting?.size ?? pool.workers.start, pool.workers.min), pool.workers.max)
  }
}
