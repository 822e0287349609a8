internal import JobConfiguration
internal import Jobs

/// Checks of worker processes, of operators' settings, and of whether jobs flow.
extension CheckRunner {
  func nodes() -> CheckResult {
    guard let configuration, contents != nil else {
      return CheckResult(unknownReason: unknownReason(.file, .store) ?? "")
    }
    var findings: [Finding] = []
    if workers.isEmpty {
      findings.append(
        Finding(
          .nodes, .problem, "no worker process is alive: jobs wait",
          advice: "Start one, on as many machines as you like.", "vluma work"))
    } else {
      findings += configuration.pools.compactMap(idle)
    }
    return CheckResult(findings + differentViews(workers), note: "\(workers.count) alive")
  }

  /// A finding on a pool that has something to do and no live node.
  private func idle(_ pool: PoolConfiguration) -> Finding? {
    guard let words = waiting(for: pool), !isPaused(pool.name),
      PoolActivity(of: pool.name, on: contents?.nodes ?? []).nodes == 0
    else { return nil }
    return Finding(
      .nodes, .problem, "\(words) for \(pool.name), which no live worker process runs",
      advice: "Start one that does.", "vluma work --pool \(shellQuoted(pool.name))")
  }

  /// How much waits for a pool's workers, in words; nil: nothing.
  private func waiting(for pool: PoolConfiguration) -> String? {
    guard let broker else { return nil }
    if pool.name == JobConfiguration.deadLetterPool {
      let count = broker.deadLetters.filter { known.contains($0.key) }.values.reduce(0, +)
      return count > 0 ? waits(count, "dead letter") : nil
    }
    let count = broker.queued[pool.name] ?? 0
    return count > 0 ? waits(count, "job") : nil
  }

  private func isPaused(_ pool: PoolName) -> Bool { contents?.settings[pool]?.isPaused ?? false }

  /// Nodes that run pools this machine's queues.yaml does not have: one finding for each set of pools.
  private func differentViews(_ nodes: [NodeReport]) -> [Finding] {
    var nodesByPools: [[String]: [String]] = [:]
    for node in nodes {
      let foreign = node.pools.keys.filter { !known.contains(PoolName(rawValue: $0)) }.sorted()
      if !foreign.isEmpty { nodesByPools[foreign, default: []].append(node.id) }
    }
    return nodesByPools.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { pools, nodes in
      Finding(
        .nodes, .warning,
        "\(listed(pools)), run by \(listed(nodes.sorted(), most: 2)), is not in this machine's queues.yaml",
        advice: "Give all machines the same queues.yaml and restart the worker processes that have another. Until then "
          + "this machine does not see the whole platform.", "vluma check")
    }
  }

  func flow() -> CheckResult {
    if let why = unknownReason(.file, .broker, .store) { return CheckResult(unknownReason: why) }
    let stalled = snapshot.stalledPools
    guard let contents, let second = snapshot.secondProbe else {
      return CheckResult(
        note: "queued jobs are being fetched", unknownReason: stalled.isEmpty ? nil : "the second probe was not made")
    }
    let findings = stalled.compactMap { pool -> Finding? in
      let (before, after) = (PoolActivity(of: pool, on: contents.nodes), PoolActivity(of: pool, on: second.nodes))
      guard let queued = second.queued[pool], queued > 0, after.localConcurrency > 0, after.running == 0,
        after.isUnchanged(since: before)
      else { return nil }
      return Finding(
        .flow, .problem,
        "\(waits(queued, "job")) in \(pool), where \(after.localConcurrency) could run, and none does",
        advice: "Its worker processes say why at /readyz and in their logs; a restart opens their connections again.",
        "vluma queues --watch")
    }
    return CheckResult(findings, note: "queued jobs are being fetched")
  }

  func poolSettings() -> CheckResult {
    guard let configuration, let contents else {
      return CheckResult(unknownReason: unknownReason(.file, .store) ?? "")
    }
    let left = contents.settings.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
    var findings = left.compactMap { name, setting in leftOver(name, setting) }
    for pool in configuration.pools {
      guard let setting = contents.settings[pool.name] else { continue }
      findings += [outOfRange(pool, setting), paused(pool, setting)].compactMap { $0 }
      findings += pausedKinds(pool, setting)
    }
    return CheckResult(findings, note: "all within queues.yaml's limits")
  }

  private func leftOver(_ name: PoolName, _ setting: PoolSetting) -> Finding? {
    var words = setting.size.map { ["size \($0)"] } ?? []
    if setting.isPaused { words.append("paused") }
    if !setting.pausedKinds.isEmpty { words.append(counted(setting.pausedKinds.count, "paused kind")) }
    guard !words.isEmpty else { return nil }
    // Names of queues.yaml are plain; any other name must not get into a statement.
    let isPlain = shellQuoted(name) == name.rawValue
    let command = "psql \"$VLUMA_POSTGRES_URL\" \\\n  -c \"DELETE FROM jobs.pool_setting WHERE pool = '\(name)'\""
    return Finding(
      .poolSettings, .warning,
      "a setting is left of \(name), which is not in queues.yaml: \(words.joined(separator: ", "))",
      advice: "It would apply again if a pool of that name came back. To delete it:", commands: isPlain ? [command] : []
    )
  }

  private func outOfRange(_ pool: PoolConfiguration, _ setting: PoolSetting) -> Finding? {
    let limits = pool.workers
    guard let size = setting.size, size < limits.min || size > limits.max else { return nil }
    let nearest = min(max(size, limits.min), limits.max)
    return Finding(
      .poolSettings, .warning,
      "\(pool.name) is set to \(size), and queues.yaml allows \(limits.min) to \(limits.max): \(nearest) is used",
      advice: "Set what is meant, or change the limits.", "vluma scale \(shellQuoted(pool.name)) \(nearest)")
  }

  private func paused(_ pool: PoolConfiguration, _ setting: PoolSetting) -> Finding? {
    guard setting.isPaused, let words = waiting(for: pool) else { return nil }
    return Finding(
      .poolSettings, .warning, "\(pool.name) is paused, and \(words)",
      advice: "If it was forgotten:", "vluma resume \(shellQuoted(pool.name))")
  }

  private func pausedKinds(_ pool: PoolConfiguration, _ setting: PoolSetting) -> [Finding] {
    setting.pausedKinds.sorted { $0.rawValue < $1.rawValue }.compactMap { kind in
      let rows = contents?.backlog.scheduled.filter { $0.pool == pool.name && $0.kind == kind } ?? []
      let count = rows.reduce(0) { $0 + $1.count }
      guard count > 0 else { return nil }
      return Finding(
        .poolSettings, .warning, "kind \(kind) is paused in \(pool.name), and \(waits(count, "job"))",
        advice: "If it was forgotten:", "vluma resume \(shellQuoted(pool.name)) --kind \(shellQuoted(kind))")
    }
  }
}
