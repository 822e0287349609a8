package import Jobs

/// Where jobs are, as far as it is known at one look. The sources are read one after the other: what was accepted
/// first, then from the top down where jobs wait, and last what has ended. A job that moves on meanwhile is found twice
/// rather than never.
package struct JobHoldings: Sendable {
  /// As they were before anything else was read.
  package var flowsBefore: [PoolName: JobFlow] = [:]
  /// Scheduled, parked and in the outbox.
  package var stored: [PoolName: Int] = [:]
  package var queued: [PoolName: Int] = [:]
  /// Dead letters that are not indexed.
  package var deadLetters: [PoolName: Int] = [:]
  /// Jobs of all pools in the retry tiers.
  package var retrying = 0
  /// Jobs of all pools that came back to a pool that was gone.
  package var unroutable = 0
  package var nodes: [NodeReport] = []
  /// Recorded jobs that were accepted half a minute ago or more and are not in the store otherwise.
  package var overdue: [PoolName: Int] = [:]
  /// As they were after everything else was read.
  package var flowsAfter: [PoolName: JobFlow] = [:]

  package init() {}

  /// For each pool with a count, how many of its accepted jobs are neither ended nor anywhere; zero and less: none.
  ///
  /// Jobs in retry tiers that no node has reported may be any pool's. Unroutable ones may be, too, but are left out.
  package func missing() -> [PoolName: Int] {
    let held = held()
    return flowsBefore.reduce(into: [:]) { missing, entry in
      let (pool, flow) = entry
      let open = flow.accepted - (flowsAfter[pool]?.ended ?? flow.ended)
      missing[pool] = open - (stored[pool] ?? 0) - held(pool)
    }
  }

  /// For each pool with a count, how many of the jobs that were recorded long before are nowhere: the whole of a pool
  /// may hide a few behind what moves while it is read; of old jobs hardly one moves.
  package func missingOverdue() -> [PoolName: Int] {
    let held = held()
    return flowsBefore.keys.reduce(into: [:]) { $0[$1] = (overdue[$1] ?? 0) - held($1) }
  }

  /// How many jobs of a pool are at the broker or in processes.
  private func held() -> (PoolName) -> Int {
    let reports = Dictionary(
      nodes.flatMap { $0.pools.map { (PoolName(rawValue: $0.key), [$0.value]) } }, uniquingKeysWith: +)
    let indexing = nodes.flatMap { $0.pools.values }.compactMap(\.indexing).reduce(into: [String: Int]()) {
      $0.merge($1, uniquingKeysWith: +)
    }
    let reported = reports.mapValues { $0.reduce(0) { $0 + ($1.retrying ?? 0) } }
    let unreported = max(0, retrying - reported.values.reduce(0, +))
    return { pool in
      let running = (reports[pool] ?? []).reduce(0) { $0 + $1.running } + (indexing[pool.rawValue] ?? 0)
      let waiting = (queued[pool] ?? 0) + (deadLetters[pool] ?? 0)
      return running + waiting + min(retrying, (reported[pool] ?? 0) + unreported)
    }
  }
}
