internal import Jobs

/// Checks of jobs and dead letters: whether each is where workers do it, and in time.
extension CheckRunner {
  func removedPools() -> CheckResult {
    guard configuration != nil else { return CheckResult(unknownReason: unknownReason(.file) ?? "") }
    // A pool that a live node runs is not removed: that node has another queues.yaml, which is a finding of its own.
    let run = Set((contents?.nodes ?? []).flatMap { Array($0.pools.keys) }.map(PoolName.init(rawValue:)))
    let rows = (contents?.backlog.outbox ?? []) + (contents?.backlog.scheduled ?? [])
    var names = Set(rows.map(\.pool)).union((contents?.backlog.dead ?? []).map(\.pool))
    if let broker { names.formUnion(Array(broker.queued.keys) + Array(broker.deadLetters.keys)) }
    let findings = names.subtracting(known).subtracting(run).sorted().compactMap(removed)
    return CheckResult(findings, note: "nothing waits for one", unknownReason: unknownReason(.broker, .store))
  }

  private func removed(_ name: PoolName) -> Finding? {
    func total(_ rows: [BacklogSnapshot.PendingJobs]?) -> Int {
      (rows ?? []).filter { $0.pool == name }.reduce(0) { $0 + $1.count }
    }
    // Letters of a kind without a pool cannot be moved; they are in the finding on dead letters.
    let dead = (contents?.backlog.dead ?? []).filter { $0.pool == name && routes[$0.kind] != nil }
      .reduce(0) { $0 + $1.count }
    let (jobs, letters) = (broker?.queued[name] ?? 0, broker?.deadLetters[name] ?? 0)
    let (outbox, scheduled) = (total(contents?.backlog.outbox), total(contents?.backlog.scheduled))
    var waits: [String] = []
    if jobs > 0 { waits.append("\(counted(jobs, "job")) in its queue") }
    if outbox > 0 { waits.append("\(outbox) in the outbox") }
    if scheduled > 0 { waits.append("\(scheduled) scheduled") }
    if letters > 0 { waits.append("\(counted(letters, "dead letter")) not indexed") }
    if dead > 0 { waits.append("\(counted(dead, "dead letter")) in the index") }
    guard !waits.isEmpty else { return nil }
    var commands: [String] = []
    if jobs + outbox + scheduled > 0 { commands.append("vluma move \(shellQuoted(name))") }
    if letters + dead > 0 { commands.append("vluma move \(shellQuoted(name)) --dead") }
    return Finding(
      .removedPools, jobs + outbox + scheduled + letters > 0 ? .problem : .warning,
      "\(name) is not in queues.yaml, and has left \(waits.joined(separator: ", "))",
      advice: "Put the pool back into queues.yaml, or move what is left to the pools that do these kinds now:",
      commands: commands)
  }

  func unroutable() -> CheckResult {
    guard let broker else { return CheckResult(unknownReason: unknownReason(.broker) ?? "") }
    guard let count = broker.unroutable else { return CheckResult(unknownReason: "the broker has no queue for them") }
    guard count > 0 else { return CheckResult(note: "none") }
    let finding = Finding(
      .unroutable, .problem, "\(counted(count, "job")) came back from a retry to a pool that was gone",
      advice: "Put the pool back into queues.yaml if it is needed; then move them to the pools that do their kinds:",
      "vluma move vluma.unroutable")
    return CheckResult([finding], note: "")
  }

  /// Jobs of a pool that no longer does their kind.
  private struct Misplaced: Hashable {
    let kind: JobKind
    let pool: PoolName
    let target: PoolName
  }

  func kinds() -> CheckResult {
    guard configuration != nil, let contents else {
      return CheckResult(unknownReason: unknownReason(.file, .store) ?? "")
    }
    var undone: [JobKind: Int] = [:]
    var misplaced: [Misplaced: Int] = [:]
    for row in contents.backlog.outbox + contents.backlog.scheduled {
      guard let target = routes[row.kind] else {
        undone[row.kind, default: 0] += row.count
        continue
      }
      // Removed pools are a check of their own.
      guard target != row.pool, known.contains(row.pool) else { continue }
      misplaced[Misplaced(kind: row.kind, pool: row.pool, target: target), default: 0] += row.count
    }
    var findings = undone.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, count in
      Finding(
        .kinds, .problem,
        "the store holds \(counted(count, "job")) of kind \(kind), which no pool of queues.yaml does",
        advice: "Add the kind to a pool's jobs, and restart the worker processes.", "vluma check")
    }
    findings += misplaced.sorted { $0.key.kind.rawValue < $1.key.kind.rawValue }.map { place, count in
      Finding(
        .kinds, .problem,
        "\(waits(count, "job")) for \(place.pool), of kind \(place.kind), which \(place.target) does now",
        advice: "Move them to the pool that does their kind:", "vluma move \(shellQuoted(place.pool))")
    }
    findings += contents.backlog.dead.filter { $0.reason == .unknownKind }.compactMap(unknown)
    return CheckResult(findings, note: "every job in the store has a pool that does it")
  }

  /// A finding on jobs that are dead because their pool's workers did not know their kind.
  private func unknown(_ dead: BacklogSnapshot.DeadJobs) -> Finding? {
    let retry = "vluma dead retry --fingerprint \(shellQuoted(dead.fingerprint))"
    let letters = "\(counted(dead.count, "dead letter")) of kind \(dead.kind)"
    guard let pool = routes[dead.kind] else {
      return Finding(
        .kinds, .warning, "\(letters), which no pool of queues.yaml does",
        advice: "Add the kind to a pool's jobs and retry them, or archive them.",
        "vluma dead archive --fingerprint \(shellQuoted(dead.fingerprint))")
    }
    if pool == dead.pool {
      return Finding(
        .kinds, .warning, "\(letters) failed in \(pool) before that pool did the kind; it does now",
        advice: "Retry them:", retry)
    }
    guard known.contains(dead.pool) else { return nil }
    return Finding(
      .kinds, .warning, "\(letters) failed in \(dead.pool), which does not do that kind: \(pool) does",
      advice: "Move them there and retry them:", "vluma move \(shellQuoted(dead.pool)) --dead", retry)
  }

  func outbox() -> CheckResult {
    overdue(
      .outbox, contents?.backlog.outbox, "has been in the outbox for more than a minute",
      "have been in the outbox for more than a minute", note: "none for long")
  }

  func scheduled() -> CheckResult {
    overdue(
      .scheduled, contents?.backlog.scheduled, "is overdue by more than 10 s", "are overdue by more than 10 s",
      note: "none overdue")
  }

  /// Overdue jobs of the store; those of removed pools are a check of their own.
  private func overdue(
    _ check: DoctorCheck, _ rows: [BacklogSnapshot.PendingJobs]?, _ one: String, _ many: String, note: String
  ) -> CheckResult {
    guard let rows else { return CheckResult(unknownReason: unknownReason(.store) ?? "") }
    var byPool: [PoolName: Int] = [:]
    for row in rows where row.overdue > 0 && (configuration == nil || known.contains(row.pool)) {
      byPool[row.pool, default: 0] += row.overdue
    }
    let count = byPool.values.reduce(0, +)
    let total = rows.reduce(0) { $0 + $1.count }
    guard count > 0 else { return CheckResult(note: total == 0 ? "none" : "\(counted(total, "job")), \(note)") }
    let places = byPool.sorted { $0.key < $1.key }.map { "\($0.value) for \($0.key)" }
    let hasWorkers = !workers.isEmpty
    let finding = Finding(
      check, .problem, "\(counted(count, "job")) \(count == 1 ? one : many): \(listed(places))",
      advice: hasWorkers
        ? "Worker processes enqueue them; their logs say why they cannot. Check that all queues exist:"
        : "Worker processes enqueue them, and none is alive.",
      hasWorkers ? "vluma topology plan" : "vluma work")
    return CheckResult([finding], note: "")
  }

  func deadLetters() -> CheckResult {
    guard let dead = contents?.backlog.dead else { return CheckResult(unknownReason: unknownReason(.store) ?? "") }
    guard let worst = dead.max(by: { $0.count < $1.count }) else { return CheckResult(note: "none") }
    var byPool: [PoolName: Int] = [:]
    for group in dead { byPool[group.pool, default: 0] += group.count }
    let places = byPool.sorted { $0.key < $1.key }.map { "\($0.value) of \($0.key)" }
    let largest = "\(worst.count) of kind \(worst.kind), \(worst.reason.rawValue)"
    let finding = Finding(
      .deadLetters, .warning,
      "\(counted(byPool.values.reduce(0, +), "dead letter")): \(listed(places)); the largest group is \(largest)",
      advice: "Fix the cause, then retry them, or archive them.", "vluma dead groups",
      "vluma dead retry --fingerprint \(shellQuoted(worst.fingerprint))")
    return CheckResult([finding], note: "")
  }
}
