internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs

/// Keeps this node's lease and sets its pools to their shares: a pool's size, the operator's or queues.yaml's, divided
/// among the live nodes.
struct ConcurrencyAllocator<Store: JobStore>: Sendable {
  let node: String
  let startedAt: Date
  let directory: any PoolDirectory
  let fetchers: [JobFetcher<Store>]
  let letters: DeadLetterIndexer?
  let draining: DrainState
  let outage: OutageLog
  /// Before shares have been set once nothing can flow.
  let leaseTracker = LeaseTracker()

  /// How often the lease is renewed, and so the longest a change can stay unseen when a notification is lost.
  private var interval: Duration { .seconds(1) }
  /// How long a silent node keeps its shares.
  private var lease: Duration { .seconds(4) }
  /// The store has been away for longer than the lease lasts.
  var isLeaseExpired: Bool { leaseTracker.isOverdue(lease + interval, at: TimeSource.now) }

  /// Allocates until the task is cancelled, then gives the lease up.
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
      group.addTask {
        while !Task.isCancelled {
          try? await TimeSource.sleep(for: interval / 4)
          await unpark()
        }
      }
      await allocate()
      for await _ in signal.stream { await allocate() }
    }
  }

  /// Apart from the lease, which must be renewed whatever this takes. What fails is tried again in a moment.
  private func unpark() async {
    guard leaseTracker.hasBegun else { return }
    for fetcher in fetchers { try? await fetcher.unpark() }
  }

  /// Gives the lease up, so that the other nodes take over at once.
  ///
  /// In a task of its own, because this one may be cancelled by then.
  func release() async { await TimeSource.withCancellationShield { try? await directory.releaseLease(node) } }

  /// Reports, reads, and sets the shares; while PostgreSQL is away they stay as they are.
  func allocate() async {
    // On its way out: the others take over now, not when the last job has ended.
    if draining.isDraining { return await release() }
    var pools: [String: PoolReport] = [:]
    for fetcher in fetchers { pools[fetcher.pool.name.rawValue] = fetcher.report }
    if letters != nil { pools[JobConfiguration.deadLetterPool.rawValue] = PoolReport(localConcurrency: 1) }
    do {
      let report = NodeReport(id: node, startedAt: startedAt, pools: pools)
      let (settings, nodes) = try await directory.renewLease(report, lease: lease)
      // Before anything is taken: a kind may have been paused for the harm it does.
      for fetcher in fetchers { fetcher.pause(settings[fetcher.pool.name]?.pausedKinds ?? []) }
      for fetcher in fetchers {
        let total = Self.size(of: fetcher.pool, settings[fetcher.pool.name])
        let poolNodes = nodes.filter { $0.pools.keys.contains(fetcher.pool.name.rawValue) }.map(\.id)
        fetcher.resize(
          to: LocalConcurrency.localConcurrency(of: total, for: node, among: poolNodes), nodes: max(1, poolNodes.count))
      }
      letters?.isPaused(settings[JobConfiguration.deadLetterPool]?.isPaused ?? false)
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
