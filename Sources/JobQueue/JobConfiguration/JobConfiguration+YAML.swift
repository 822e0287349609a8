package import Jobs
internal import Yams

extension JobConfiguration {
  /// What the platform's workers can do, to be held against the file.
  package struct KnownWorker: Sendable {
    /// The kind of job it does; the file must have it in exactly one pool.
    package let kind: JobKind
    /// True for a ``BatchWorker``: only such a worker heeds its pool's `batch`.
    package let takesBatches: Bool
    /// Its pool's `timeout` must be no shorter.
    package let minimumTimeout: Duration

    /// What one registered worker can do; two of a kind are a problem the check names.
    package init(kind: JobKind, takesBatches: Bool, minimumTimeout: Duration = .zero) {
      self.kind = kind
      self.takesBatches = takesBatches
      self.minimumTimeout = minimumTimeout
    }
  }

  /// Reads and checks the file's text; throws ``InvalidConfiguration`` with every problem at once.
  package init(yaml: String, file: String = "queues.yaml", workers: [KnownWorker]) throws(InvalidConfiguration) {
    let root: Node?
    do { root = try Yams.compose(yaml: yaml) } catch {
      throw InvalidConfiguration(file: file, problems: [Self.syntaxProblem(error)])
    }
    guard let root else {
      throw InvalidConfiguration(file: file, problems: [.init(line: 0, column: 0, message: "the file is empty")])
    }
    var builder = ConfigurationBuilder()
    self = builder.build(root)
    builder.compare(self, with: workers, root)
    guard builder.reader.problems.isEmpty else {
      throw InvalidConfiguration(file: file, problems: builder.reader.problems)
    }
  }

  private static func syntaxProblem(_ error: any Error) -> ConfigurationProblem {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      ConfigurationProblem(line: mark.line, column: mark.column, message: "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      ConfigurationProblem(
        line: context.mark.line, column: context.mark.column,
        message: "written twice: \(keys.map { "\"\($0)\"" }.joined(separator: ", "))")
    default: ConfigurationProblem(line: 0, column: 0, message: "not YAML")
    }
  }
}

/// Turns the tree into a configuration, with defaults where something is missing or wrong, and collects the problems.
private struct ConfigurationBuilder {
  var reader = YAMLReader()
  /// Where each kind and pool stands, for problems that span several places.
  private var kindLocations: [(kind: JobKind, node: Node, pool: PoolName)] = []
  private var batchLocations: [PoolName: Node] = [:]
  private var jobsLocations: [PoolName: Node] = [:]

  /// What a pool has where it says nothing itself.
  private struct Defaults {
    var timeout = Duration.seconds(30)
    var retry = RetryPolicy()
    var maxCrashes = 3
  }

  /// At most 25 minutes: RabbitMQ closes the channel of a consumer that holds a message for 30 (consumer_timeout).
  private static let timeouts = Duration.milliseconds(100) ... .seconds(1_500)
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
    if let timeout = reader.duration(values["timeout"], "\(path).timeout", Self.timeouts) { defaults.timeout = timeout }
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
        "\(path).backoff.max (\(defaults.retry.max.compactText)) is shorter than base (\(defaults.retry.base.compactText))"
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
    let values = reader.mapping(node, path, keys: ["jobs", "workers", "batch", "rate", "timeouts"] + Self.jobKeys)
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
    batchLocations[name] = values["batch"]
    jobsLocations[name] = values["jobs"]
    return PoolConfiguration(
      name: name, jobs: kinds, workers: counts(values["workers"], key, path), timeout: own.timeout,
      timeouts: timeouts(values["timeouts"], of: kinds, path), retry: own.retry, maxCrashes: own.maxCrashes,
      batch: values["batch"].map { batch($0, path) },
      rate: values["rate"].flatMap { reader.rate($0, "\(path).rate", besideBatch: values["batch"] != nil) })
  }

  private mutating func timeouts(_ node: Node?, of kinds: [JobKind], _ path: String) -> [JobKind: Duration] {
    var timeouts: [JobKind: Duration] = [:]
    guard let node else { return timeouts }
    for (kind, value) in reader.mapping(node, "\(path).timeouts", keys: kinds.map(\.rawValue)) {
      timeouts[JobKind(rawValue: kind)] = reader.duration(value, "\(path).timeouts.\(kind)", Self.timeouts)
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

  /// Holds the file against the workers there are, and the pools against each other.
  mutating func compare(_ configuration: JobConfiguration, with workers: [JobConfiguration.KnownWorker], _ root: Node) {
    var seen: [JobKind: PoolName] = [:]
    let known = Set(workers.map(\.kind))
    for place in kindLocations {
      if let other = seen[place.kind] {
        let places = other == place.pool ? "twice in \(other)" : "in two pools: \(other) and \(place.pool)"
        reader.report(place.node, "job kind \"\(place.kind)\" is \(places)")
      }
      seen[place.kind] = place.pool
      if !known.contains(place.kind) {
        let hint = reader.didYouMean(place.kind.rawValue, known.map(\.rawValue))
        reader.report(place.node, "job kind \"\(place.kind)\" has no worker" + hint)
      }
    }
    let counts = Dictionary(grouping: workers, by: \.kind).mapValues(\.count)
    var reported = Set<JobKind>()
    for kind in workers.map(\.kind) where reported.insert(kind).inserted {
      let count = counts[kind] ?? 0
      if count > 1 { reader.report(nil, "job kind \"\(kind)\" has \(count) workers") }
      if seen[kind] == nil {
        reader.report(nil, "job kind \"\(kind)\" has a worker and is in no pool: add it to a pool's jobs")
      }
    }
    for worker in workers {
      guard let pool = configuration.pools.first(where: { $0.jobs.contains(worker.kind) }),
        pool.timeout(of: worker.kind) < worker.minimumTimeout
      else { continue }
      reader.report(
        jobsLocations[pool.name],
        "pools.\(pool.name).timeout must be at least \(worker.minimumTimeout.compactText) for job kind \"\(worker.kind)\", not "
          + pool.timeout(of: worker.kind).compactText)
    }
    let batching = Set(workers.filter(\.takesBatches).map(\.kind))
    for pool in configuration.pools {
      guard let node = batchLocations[pool.name], batching.isDisjoint(with: pool.jobs) else { continue }
      reader.report(node, "pools.\(pool.name).batch has no effect: none of its workers takes batches")
    }
    guard let letters = configuration.pool(JobConfiguration.deadLetterPool) else {
      return reader.report(root, "the pool \(JobConfiguration.deadLetterPool) is missing: it indexes the dead letters")
    }
    if !letters.jobs.isEmpty {
      reader.report(jobsLocations[letters.name], "the pool \(letters.name) takes no jobs of its own: write jobs: []")
    }
  }
}
