internal import Jobs

/// Whether somebody works, on what is set, and whether jobs flow.
extension CheckRunner {
  func nodes() -> CheckResult {
    guard let pools, let contents else { return CheckResult(unknownReason: unknownReason(.file, .store) ?? "") }
    var findings: [Finding] = []
    if contents.nodes.isEmpty {
      findings.append(
        Finding(
          .nodes, .problem, "no worker process is alive: jobs wait",
          advice: "Start one, on as many machines as you like.", "vluma work"))
    } else {
      findings += pools.compactMap(idle)
    }
    return CheckResult(findings + differentViews(contents.nodes), note: "\(contents.nodes.count) alive")
  }

  /// A pool that has something to do and nobody who does it.
  private func idle(_ pool: SystemSnapshot.Pool) -> Finding? {
    guard let words = waiting(for: pool), !isPaused(pool.name),
      PoolActivity(of: pool.name, on: contents?.nodes ?? []).nodes == 0
    else { return nil }
    return Finding(
      .nodes, .problem, "\(words) for \(pool.name), which no live worker process runs",
      advice: "Start one that does.", "vluma work --pool \(shellQuoted(pool.name))")
  }

  /// That something waits to be taken by a pool's workers; nil where nothing does.
  private func waiting(for pool: SystemSnapshot.Pool) -> String? {
    guard let broker else { return nil }
    if pool.indexesDeadLetters {
      let count = broker.deadLetters.filter { known.contains($0.key) }.values.reduce(0, +)
      return count > 0 ? waits(count, "dead letter") : nil
    }
    let count = broker.ready[pool.name] ?? 0
    return count > 0 ? waits(count, "job") : nil
  }

  private func isPaused(_ pool: PoolName) -> Bool { contents?.settings[pool]?.isPaused ?? false }

  /// Nodes that run pools this machine's queues.yaml does not have: one finding for each set of pools.
  private func differentViews(_ nodes: [NodeReport]) -> [Finding] {
    var nodesByPools: [[String]: [String]] = [:]
    for node in nodes {
      let strange = node.pools.keys.filter { !known.contains(PoolName(rawValue: $0)) }.sorted()
      if !strange.isEmpty { nodesByPools[strange, default: []].append(node.id) }
    }
    return nodesByPools.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { pools, nodes in
      Finding(
        .nodes, .warning,
        "\(listed(pools)), run by \(listed(nodes.sorted(), most: 2)), stands in no queues.yaml of this machine",
        advice: "Give all machines the same queues.yaml and restart the worker processes that have another. Until then "
          + "this machine does not see all of the platform.", "vluma check")
    }
  }

  func flow() -> CheckResult {
    if let why = unknownReason(.file, .broker, .store) { return CheckResult(unknownReason: why) }
    let suspects = snapshot.stalledPools
    guard let contents, let second = snapshot.secondProbe else {
      return CheckResult(
        note: "what waits is being taken", unknownReason: suspects.isEmpty ? nil : "there was no second probe")
    }
    let findings = suspects.compactMap { pool -> Finding? in
      let (before, after) = (PoolActivity(of: pool, on: contents.nodes), PoolActivity(of: pool, on: second.nodes))
      guard let ready = second.ready[pool], ready > 0, after.localConcurrency > 0, after.running == 0,
        after.isUnchanged(since: before)
      else { return nil }
      return Finding(
        .flow, .problem,
        "\(waits(ready, "job")) in \(pool), where \(after.localConcurrency) could be in hand, and none is taken",
        advice: "Its worker processes say why at /readyz and in their logs; a restart makes their connections anew.",
        "vluma queues --watch")
    }
    return CheckResult(findings, note: "what waits is being taken")
  }

  func poolSettings() -> CheckResult {
    guard let pools, let contents else { return CheckResult(unknownReason: unknownReason(.file, .store) ?? "") }
    let left = contents.settings.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
    var findings = left.compactMap { name, setting in leftOver(name, setting) }
    for pool in pools {
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
    // A pool's name is plain wherever it came from queues.yaml; anything else must not get into a statement.
    let isPlain = shellQuoted(name) == name.rawValue
    let command = "psql \"$VLUMA_POSTGRES_URL\" \\\n  -c \"DELETE FROM jobs.pool_setting WHERE pool = '\(name)'\""
    return Finding(
      .poolSettings, .warning,
      "a setting is left of \(name), which is not in queues.yaml: \(words.joined(separator: ", "))",
      advice: "It would hold again if a pool of that name came back. To forget it:", commands: isPlain ? [command] : [])
  }

  private func outOfRange(_ pool: SystemSnapshot.Pool, _ setting: PoolSetting) -> Finding? {
    guard let size = setting.size, !pool.sizes.contains(size) else { return nil }
    let nearest = min(max(size, pool.sizes.lowerBound), pool.sizes.upperBound)
    return Finding(
      .poolSettings, .warning,
      "\(pool.name) is set to \(size), and queues.yaml allows \(pool.sizes.lowerBound) to \(pool.sizes.upperBound): "
        + "\(nearest) holds",
      advice: "Set what is meant, or change the limits.", "vluma scale \(shellQuoted(pool.name)) \(nearest)")
  }

  private func paused(_ pool: SystemSnapshot.Pool, _ setting: PoolSetting) -> Finding? {
    guard setting.isPaused, let words = waiting(for: pool) else { return nil }
    return Finding(
      .poolSettings, .warning, "\(pool.name) is paused, and \(words)",
      advice: "If it was forgotten:", "vluma resume \(shellQuoted(pool.name))")
  }

  private func pausedKinds(_ pool: SystemSnapshot.Pool, _ setting: PoolSetting) -> [Finding] {
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
