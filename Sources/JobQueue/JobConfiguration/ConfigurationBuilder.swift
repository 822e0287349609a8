internal import Jobs
internal import Yams

/// Turns the tree into a configuration and collects the problems; a value that is missing or wrong gets its default.
struct ConfigurationBuilder {
  var reader = YAMLReader()
  /// Places in the file, for problems that are found later.
  private(set) var kindLocations: [(kind: JobKind, node: Node, pool: PoolName)] = []
  private(set) var batchLocations: [PoolName: Node] = [:]
  private(set) var jobsLocations: [PoolName: Node] = [:]

  /// The values of a pool that names none of its own.
  private struct Defaults {
    var timeout = Duration.seconds(30)
    var retry = RetryPolicy()
    var maxCrashes = 3
  }

  private static let timeouts = Duration.milliseconds(100) ... .seconds(1_500)
  private static let timeoutReason = "RabbitMQ takes a job back that is held for 30 minutes (consumer_timeout)"
  private static let jobKeys = ["timeout", "max_attempts", "max_crashes", "backoff"]

  mutating func build(_ root: Node) -> JobConfiguration {
    let top = reader.mapping(root, "the file", keys: ["version", "retry_tiers", "defaults", "pools"])
    if top["version"] == nil { reader.report(root, "version is missing; write version: 1") }
    _ = reader.integer(top["version"], "version", 1...1)
    var tiers: [Duration] = []
    for node in reader.list(top["retry_tiers"], "retry_tiers") {
      guard let tier = reader.duration(node, "a retry tier", .milliseconds(100) ... .seconds(86_400)) else { continue }
      if let last = tiers.last, tier <= last {
        reader.report(node, "retry_tiers must grow: \(tier.compactText) stands behind \(last.compactText)")
      }
      tiers.append(tier)
    }
    if tiers.isEmpty, top["retry_tiers"].map({ $0.sequence?.isEmpty == true }) ?? true {
      reader.report(top["retry_tiers"] ?? root, "retry_tiers needs at least one duration")
    }
    var defaults = Defaults()
    if let node = top["defaults"] {
      let values = reader.mapping(node, "defaults", keys: ["queue"] + Self.jobKeys)
      _ = reader.word(values["queue"], "defaults.queue", oneOf: ["quorum"])
      read(values, "defaults", into: &defaults)
    }
    var pools: [PoolConfiguration] = []
    if let node = top["pools"] {
      for (key, name, value) in reader.pairs(node, "pools") { pools.append(pool(key, name, value, defaults)) }
    } else {
      reader.report(root, "pools is missing")
    }
    return JobConfiguration(retryTiers: tiers, pools: pools)
  }

  private mutating func read(_ values: [String: Node], _ path: String, into defaults: inout Defaults) {
    let timeout = reader.duration(
      values["timeout"], "\(path).timeout", Self.timeouts, reason: Self.timeoutReason)
    if let timeout { defaults.timeout = timeout }
    if let attempts = reader.integer(values["max_attempts"], "\(path).max_attempts", 1...1_000) {
      defaults.retry.maxAttempts = attempts
    }
    if let crashes = reader.integer(values["max_crashes"], "\(path).max_crashes", 2...100) {
      defaults.maxCrashes = crashes
    }
    guard let node = values["backoff"] else { return }
    let backoff = reader.mapping(node, "\(path).backoff", keys: ["base", "factor", "max", "jitter"])
    let range = Duration.milliseconds(1) ... .seconds(30 * 86_400)
    if let base = reader.duration(backoff["base"], "\(path).backoff.base", range) { defaults.retry.base = base }
    if let factor = reader.number(backoff["factor"], "\(path).backoff.factor", 1...1_000) {
      defaults.retry.factor = factor
    }
    if let max = reader.duration(backoff["max"], "\(path).backoff.max", range) { defaults.retry.max = max }
    let jitter = reader.word(
      backoff["jitter"], "\(path).backoff.jitter", oneOf: RetryPolicy.Jitter.allCases.map(\.rawValue))
    if let jitter = jitter.flatMap(RetryPolicy.Jitter.init) { defaults.retry.jitter = jitter }
    if defaults.retry.max < defaults.retry.base {
      reader.report(
        node,
        "\(path).backoff.max (\(defaults.retry.max.compactText)) is shorter than base "
          + "(\(defaults.retry.base.compactText))"
      )
    }
  }

  private mutating func pool(_ key: Node, _ text: String, _ node: Node, _ defaults: Defaults) -> PoolConfiguration {
    let path = "pools.\(text)"
    let name = PoolName(rawValue: text)
    if text.wholeMatch(of: /[a-z][a-z0-9_]*(\.[a-z0-9_]+)*/) == nil || text.count > 100 {
      reader.report(
        key, "a pool's name is made of lower-case words with dots, such as booking.validate, not \"\(text)\"")
    }
    if text.hasPrefix("vluma.") || text.hasSuffix(".dead") {
      reader.report(key, "\"\(text)\" is a name the platform keeps for its own queues")
    }
    let values = reader.mapping(
      node, path, keys: ["jobs", "workers", "batch", "rate", "timeouts", "record"] + Self.jobKeys)
    var own = defaults
    read(values, path, into: &own)
    var kinds: [JobKind] = []
    if values["jobs"] == nil { reader.report(key, "\(path).jobs is missing; write jobs: [kind, ...]") }
    for entry in reader.list(values["jobs"], "\(path).jobs") {
      guard let kind = entry.string, !kind.isEmpty else {
        reader.report(entry, "a job kind in \(path).jobs must be a word")
        continue
      }
      kinds.append(JobKind(rawValue: kind))
      kindLocations.append((JobKind(rawValue: kind), entry, name))
    }
    let record = reader.word(values["record"], "\(path).record", oneOf: ["bodies", "ids"])
    batchLocations[name] = values["batch"]
    jobsLocations[name] = values["jobs"]
    return PoolConfiguration(
      name: name, jobs: kinds, workers: counts(values["workers"], key, path), timeout: own.timeout,
      timeouts: timeouts(values["timeouts"], of: kinds, path), retry: own.retry, maxCrashes: own.maxCrashes,
      batch: values["batch"].map { batch($0, path) },
      rate: values["rate"].flatMap { reader.rate($0, "\(path).rate", besideBatch: values["batch"] != nil) },
      recordsBodies: record != "ids")
  }

  private mutating func timeouts(_ node: Node?, of kinds: [JobKind], _ path: String) -> [JobKind: Duration] {
    var timeouts: [JobKind: Duration] = [:]
    guard let node else { return timeouts }
    for (kind, value) in reader.mapping(node, "\(path).timeouts", keys: kinds.map(\.rawValue)) {
      timeouts[JobKind(rawValue: kind)] = reader.duration(
        value, "\(path).timeouts.\(kind)", Self.timeouts, reason: Self.timeoutReason)
    }
    return timeouts
  }

  private mutating func counts(_ node: Node?, _ key: Node, _ path: String) -> WorkerCounts {
    var counts = WorkerCounts(min: 1, start: 1, max: 64)
    guard let node else {
      reader.report(key, "\(path).workers is missing; write workers: { min: 1, start: 4, max: 64 }")
      return counts
    }
    let values = reader.mapping(node, "\(path).workers", keys: ["min", "start", "max"])
    counts.min = reader.integer(values["min"], "\(path).workers.min", 0...10_000) ?? counts.min
    counts.start = reader.integer(values["start"], "\(path).workers.start", 0...10_000) ?? max(counts.min, counts.start)
    counts.max = reader.integer(values["max"], "\(path).workers.max", 1...10_000) ?? max(counts.start, counts.max)
    if counts.min > counts.start || counts.start > counts.max {
      reader.report(
        node, "\(path).workers must have min <= start <= max, not \(counts.min), \(counts.start), \(counts.max)")
    }
    return counts
  }

  private mutating func batch(_ node: Node, _ path: String) -> BatchConfiguration {
    let values = reader.mapping(node, "\(path).batch", keys: ["size", "wait"])
    return BatchConfiguration(
      size: reader.integer(values["size"], "\(path).batch.size", 1...1_000) ?? 100,
      wait: reader.duration(values["wait"], "\(path).batch.wait", .zero ... .seconds(10)) ?? .milliseconds(10))
  }
}
