internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Wires

/// Keeps this node's lease and sets its pools to their shares: a pool's size, the operator's or queues.yaml's, divided
/// among the live nodes.
struct PoolAllocator<Ledger: JobLedger>: Sendable {
  let node: String
  let startedAt: Date
  let directory: any PoolDirectory
  let runners: [PoolRunner<Ledger>]
  let letters: DeadLetterIndexer?
  let draining: Draining
  let outage: OutageLog
  /// Before shares have been set once nothing can flow.
  let renewals = Renewals()

  /// How often the lease is renewed, and so the longest a change can stay unseen when a notification is lost.
  private var interval: Duration { .seconds(1) }
  /// How long a silent node keeps its shares.
  private var lease: Duration { .seconds(4) }
  /// The ledger has been away for longer than the lease lasts.
  var isLeaseOver: Bool { renewals.isOverdue(lease + interval, at: CurrentRuntime.now) }

  /// Allocates until the task is cancelled, then gives the lease up.
  func run() async {
    let signal = Signal()
    await withDiscardingTaskGroup { group in
      group.addTask { await directory.watch { signal.send() } }
      group.addTask {
        while !Task.isCancelled {
          try? await CurrentRuntime.sleep(for: interval)
          signal.send()
        }
      }
      group.addTask {
        while !Task.isCancelled {
          try? await CurrentRuntime.sleep(for: interval / 4)
          await unpark()
        }
      }
      await allocate()
      for await _ in signal.stream { await allocate() }
    }
  }

  /// Apart from the lease, which must be renewed whatever this takes. What fails is tried again in a moment.
  private func unpark() async {
    guard renewals.hasBegun else { return }
    for runner in runners { try? await runner.unpark() }
  }

  /// Gives the lease up, so that the other nodes take over at once.
  ///
  /// In a task of its own, because this one may be cancelled by then.
  func release() async { await CurrentRuntime.shielded { try? await directory.releaseLease(node) } }

  /// Reports, reads, and sets the shares; while PostgreSQL is away they stay as they are.
  func allocate() async {
    // On its way out: the others take over now, not when the last job has ended.
    if draining.isOn { return await release() }
    var pools: [String: PoolReport] = [:]
    for runner in runners { pools[runner.pool.name.rawValue] = runner.report }
    if letters != nil { pools[JobConfiguration.deadLetterPool.rawValue] = PoolReport(share: 1) }
    do {
      let report = NodeReport(id: node, startedAt: startedAt, pools: pools)
      let (settings, nodes) = try await directory.renewLease(report, lease: lease)
      // Before anything is taken: a kind may have been paused for the harm it does.
      for runner in runners { runner.pause(settings[runner.pool.name]?.pausedKinds ?? []) }
      for runner in runners {
        let total = Self.size(of: runner.pool, settings[runner.pool.name])
        let sharers = nodes.filter { $0.pools.keys.contains(runner.pool.name.rawValue) }.map(\.id)
        runner.resize(to: PoolShares.share(of: total, for: node, among: sharers), nodes: max(1, sharers.count))
      }
      letters?.isPaused(settings[JobConfiguration.deadLetterPool]?.isPaused ?? false)
      renewals.renewed(at: CurrentRuntime.now)
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
