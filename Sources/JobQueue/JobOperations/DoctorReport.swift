internal import Jobs

/// What is wrong with the platform, where, and what to do about it; made of what was seen, and nothing else.
package struct DoctorReport: Sendable, Encodable {
  /// How a check came out.
  package enum Status: String, Sendable, Codable {
    case ok, warning, problem
    /// What it would have to look at could not be seen; another check says why.
    case unknown
  }

  /// A check and how it came out.
  package struct Line: Sendable, Equatable, Encodable {
    /// What was looked at.
    package let check: DoctorCheck
    /// The worst that was found.
    package let status: Status
    /// A few words on it.
    package let note: String
  }

  /// True where nothing is wrong.
  package let isHealthy: Bool
  /// Every check there is, in order.
  package let checks: [Line]
  /// All that is wrong, problems first.
  package let findings: [Finding]

  /// Judges what was seen.
  package init(_ snapshot: SystemSnapshot) {
    let runner = CheckRunner(snapshot)
    var checks: [Line] = []
    var findings: [Finding] = []
    for check in DoctorCheck.allCases {
      let result = runner.result(of: check)
      checks.append(Line(check: check, status: result.status, note: result.note))
      findings += result.findings
    }
    isHealthy = findings.isEmpty
    self.checks = checks
    self.findings = findings.filter { $0.severity == .problem } + findings.filter { $0.severity == .warning }
  }
}

/// How one check came out.
struct CheckResult {
  let findings: [Finding]
  let status: DoctorReport.Status
  let note: String

  /// - Parameter note: what to say where nothing was found.
  /// - Parameter unknownReason: what could not be seen of it, for the case that nothing was found in the rest.
  init(_ findings: [Finding] = [], note: String, unknownReason: String? = nil) {
    self.findings = findings
    if findings.isEmpty {
      status = unknownReason == nil ? .ok : .unknown
      self.note = unknownReason.map { "not known: \($0)" } ?? note
    } else {
      status = findings.contains { $0.severity == .problem } ? .problem : .warning
      self.note = findings.count == 1 ? "see below" : "\(findings.count) findings, see below"
    }
  }

  /// Nothing of it could be seen.
  init(unknownReason: String) { self.init(note: "", unknownReason: unknownReason) }
}

/// Judges one snapshot; the checks are in extensions.
struct CheckRunner {
  let snapshot: SystemSnapshot
  let pools: [SystemSnapshot.Pool]?
  let broker: SystemSnapshot.Broker?
  let contents: SystemSnapshot.StoreContents?
  /// Which pool does which kind.
  let routes: [JobKind: PoolName]
  /// The names of queues.yaml's pools.
  let known: Set<PoolName>

  init(_ snapshot: SystemSnapshot) {
    self.snapshot = snapshot
    pools = snapshot.settings.pools
    broker = snapshot.broker.value
    contents = snapshot.store.value?.contents
    var routes: [JobKind: PoolName] = [:]
    for pool in pools ?? [] { for kind in pool.kinds { routes[kind] = pool.name } }
    self.routes = routes
    known = Set((pools ?? []).map(\.name))
  }

  func result(of check: DoctorCheck) -> CheckResult {
    switch check {
    case .settings: settings()
    case .rabbitMQ: rabbitMQ()
    case .postgreSQL: postgreSQL()
    case .redis: redis()
    case .nodes: nodes()
    case .flow: flow()
    case .removedPools: removedPools()
    case .unroutable: unroutable()
    case .kinds: kinds()
    case .outbox: outbox()
    case .scheduled: scheduled()
    case .poolSettings: poolSettings()
    case .deadLetters: deadLetters()
    }
  }

  /// A place that checks look at.
  enum Place { case file, broker, store }

  /// The first of the places that could not be seen, in words; nil where all could.
  func unknownReason(_ places: Place...) -> String? {
    for place in places {
      switch place {
      case .file where pools == nil: return "\(snapshot.settings.file) cannot be used"
      case .broker where broker == nil: return "RabbitMQ cannot be asked"
      case .store where contents == nil && snapshot.store.value != nil: return "the database is not up to date"
      case .store where contents == nil: return "PostgreSQL cannot be asked"
      default: continue
      }
    }
    return nil
  }

  /// `1 job`, `2 jobs`.
  func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }

  /// `1 job waits`, `2 jobs wait`.
  func waits(_ count: Int, _ noun: String) -> String { counted(count, noun) + (count == 1 ? " waits" : " wait") }

  /// `a, b and 3 more`.
  func listed(_ names: [String], most: Int = 4) -> String {
    guard names.count > most + 1 else { return names.joined(separator: ", ") }
    return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
  }

  /// The name as a shell takes it as one word.
  func shellQuoted(_ name: some CustomStringConvertible) -> String {
    let text = name.description
    let isPlain = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    guard !isPlain else { return text }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
  }
}
