internal import Jobs

/// Whether jobs are where somebody does them.
extension CheckRunner {
  func removedPools() -> CheckResult {
    guard pools != nil else { return CheckResult(unknownReason: unknownReason(.file) ?? "") }
    // What a live node runs is not removed: its queues.yaml is another one, which is a finding of its own.
    let run = Set((contents?.nodes ?? []).flatMap { Array($0.pools.keys) }.map(PoolName.init(rawValue:)))
    let rows = (contents?.backlog.outbox ?? []) + (contents?.backlog.scheduled ?? [])
    var names = Set(rows.map(\.pool)).union((contents?.backlog.dead ?? []).map(\.pool))
    if let broker { names.formUnion(Array(broker.ready.keys) + Array(broker.deadLetters.keys)) }
    let findings = names.subtracting(known).subtracting(run).sorted().compactMap(removed)
    return CheckResult(findings, note: "nothing waits for one", unknownReason: unknownReason(.broker, .store))
  }

  private func removed(_ name: PoolName) -> Finding? {
    func total(_ rows: [BacklogSnapshot.PendingJobs]?) -> Int {
      (rows ?? []).filter { $0.pool == name }.reduce(0) { $0 + $1.count }
    }
    // Letters of a kind that nobody does could go nowhere; they are shown with all others.
    let dead = (contents?.backlog.dead ?? []).filter { $0.pool == name && routes[$0.kind] != nil }
      .reduce(0) { $0 + $1.count }
    let (jobs, letters) = (broker?.ready[name] ?? 0, broker?.deadLetters[name] ?? 0)
    let (outbox, scheduled) = (total(contents?.backlog.outbox), total(contents?.backlog.scheduled))
    var waits: [String] = []
    if jobs > 0 { waits.append("\(counted(jobs, "job")) in its queue") }
    if outbox > 0 { waits.append("\(outbox) in the outbox") }
    if scheduled > 0 { waits.append("\(scheduled) scheduled") }
    if letters > 0 { waits.append("\(counted(letters, "dead letter")) that nobody indexes") }
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
    guard let count = broker.unroutable else { return CheckResult(unknownReason: "the broker has no place for them") }
    guard count > 0 else { return CheckResult(note: "no job has lost its pool") }
    let finding = Finding(
      .unroutable, .problem, "\(counted(count, "job")) came back from a retry to a pool that was gone",
      advice: "Put the pool back into queues.yaml if it is needed; then move them to the pools that do their kinds:",
      "vluma move vluma.unroutable")
    return CheckResult([finding], note: "")
  }

  /// Jobs that wait for a pool which no longer does their kind.
  private struct Misplaced: Hashable {
    let kind: JobKind
    let pool: PoolName
    let target: PoolName
  }

  func kinds() -> CheckResult {
    guard pools != nil, let contents else { return CheckResult(unknownReason: unknownReason(.file, .store) ?? "") }
    var undone: [JobKind: Int] = [:]
    var misplaced: [Misplaced: Int] = [:]
    for row in contents.backlog.outbox + contents.backlog.scheduled {
      guard let target = routes[row.kind] else {
        undone[row.kind, default: 0] += row.count
        continue
      }
      // A pool that is gone is named with all it has left.
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
        advice: "Move what is not its own to the pools that do it:", "vluma move \(shellQuoted(place.pool))")
    }
    findings += contents.backlog.dead.filter { $0.reason == .unknownKind }.compactMap(unknown)
    return CheckResult(findings, note: "every job in the store has a pool that does it")
  }

  /// Jobs that died because their pool's workers did not know their kind.
  private func unknown(_ dead: BacklogSnapshot.DeadJobs) -> Finding? {
    let retry = "vluma dead retry --fingerprint \(shellQuoted(dead.fingerprint))"
    let letters = "\(counted(dead.count, "dead letter")) of kind \(dead.kind)"
    guard let pool = routes[dead.kind] else {
      return Finding(
        .kinds, .warning, "\(letters), which no pool of queues.yaml does",
        advice: "Add the kind to a pool's jobs and run them again, or give them up.",
        "vluma dead archive --fingerprint \(shellQuoted(dead.fingerprint))")
    }
    if pool == dead.pool {
      return Finding(
        .kinds, .warning, "\(letters) died in \(pool) before it did that kind", advice: "Run them again:", retry)
    }
    guard known.contains(dead.pool) else { return nil }
    return Finding(
      .kinds, .warning, "\(letters) died in \(dead.pool), which does not do that kind: \(pool) does",
      advice: "Move them there and run them again:", "vluma move \(shellQuoted(dead.pool)) --dead", retry)
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

  /// Jobs of the store that should have gone on. Those of pools that are gone are told elsewhere.
  private func overdue(
    _ check: DoctorCheck, _ rows: [BacklogSnapshot.PendingJobs]?, _ one: String, _ many: String, note: String
  ) -> CheckResult {
    guard let rows else { return CheckResult(unknownReason: unknownReason(.store) ?? "") }
    var byPool: [PoolName: Int] = [:]
    for row in rows where row.overdue > 0 && (pools == nil || known.contains(row.pool)) {
      byPool[row.pool, default: 0] += row.overdue
    }
    let count = byPool.values.reduce(0, +)
    let total = rows.reduce(0) { $0 + $1.count }
    guard count > 0 else { return CheckResult(note: total == 0 ? "none" : "\(counted(total, "job")), \(note)") }
    let places = byPool.sorted { $0.key < $1.key }.map { "\($0.value) for \($0.key)" }
    let isAnybodyThere = contents?.nodes.isEmpty == false
    let finding = Finding(
      check, .problem, "\(counted(count, "job")) \(count == 1 ? one : many): \(listed(places))",
      advice: isAnybodyThere
        ? "Worker processes hand them over: their logs say what is in the way. Are all queues there?"
        : "Worker processes hand them over, and none is alive.",
      isAnybodyThere ? "vluma topology plan" : "vluma work")
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
      advice: "Mend the cause, then run them again, or give them up.", "vluma dead groups",
      "vluma dead retry --fingerprint \(shellQuoted(worst.fingerprint))")
    return CheckResult([finding], note: "")
  }
}
