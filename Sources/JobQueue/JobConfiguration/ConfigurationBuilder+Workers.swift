internal import Jobs
internal import Yams

/// Problems that no single value of the file shows: kinds without a worker, workers without a pool, pools that do the
/// same kind.
extension ConfigurationBuilder {
  mutating func compare(_ configuration: JobConfiguration, with workers: [KnownWorker], _ root: Node) {
    compareKinds(with: workers.map(\.kind))
    checkTimeouts(configuration, workers)
    checkBatches(configuration, workers)
    guard let letters = configuration.pool(JobConfiguration.deadLetterPool) else {
      return reader.report(root, "the pool \(JobConfiguration.deadLetterPool) is missing: it indexes the dead letters")
    }
    if !letters.jobs.isEmpty {
      reader.report(jobsLocations[letters.name], "the pool \(letters.name) takes no jobs of its own: write jobs: []")
    }
  }

  private mutating func compareKinds(with kinds: [JobKind]) {
    var pools: [JobKind: PoolName] = [:]
    let known = Set(kinds)
    for place in kindLocations {
      if let other = pools[place.kind] {
        let places = other == place.pool ? "twice in \(other)" : "in two pools: \(other) and \(place.pool)"
        reader.report(place.node, "job kind \"\(place.kind)\" is \(places)")
      }
      pools[place.kind] = place.pool
      if !known.contains(place.kind) {
        let hint = reader.didYouMean(place.kind.rawValue, known.map(\.rawValue))
        reader.report(place.node, "job kind \"\(place.kind)\" has no worker" + hint)
      }
    }
    let counts = Dictionary(grouping: kinds, by: \.self).mapValues(\.count)
    var reported = Set<JobKind>()
    for kind in kinds where reported.insert(kind).inserted {
      let count = counts[kind] ?? 0
      if count > 1 { reader.report(nil, "job kind \"\(kind)\" has \(count) workers") }
      if pools[kind] == nil {
        reader.report(nil, "job kind \"\(kind)\" has a worker and is in no pool: add it to a pool's jobs")
      }
    }
  }

  private mutating func checkTimeouts(_ configuration: JobConfiguration, _ workers: [KnownWorker]) {
    for worker in workers {
      guard let pool = configuration.pools.first(where: { $0.jobs.contains(worker.kind) }) else { continue }
      let timeout = pool.timeout(of: worker.kind)
      guard timeout < worker.minimumTimeout else { continue }
      reader.report(
        jobsLocations[pool.name],
        "pools.\(pool.name).timeout must be at least \(worker.minimumTimeout.compactText) for job kind "
          + "\"\(worker.kind)\", not \(timeout.compactText)")
    }
  }

  private mutating func checkBatches(_ configuration: JobConfiguration, _ workers: [KnownWorker]) {
    let batching = Set(workers.filter(\.takesBatches).map(\.kind))
    for pool in configuration.pools {
      guard let node = batchLocations[pool.name], batching.isDisjoint(with: pool.jobs) else { continue }
      reader.report(node, "pools.\(pool.name).batch has no effect: none of its workers takes batches")
    }
  }
}
