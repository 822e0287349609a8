import Foundation
import Jobs
import Operations
import Testing

/// A healthy platform of two pools, as it is seen from outside; each test spoils something of it.
struct Patient {
  var settings = Examination.Settings(file: "queues.yaml")
  var broker = Examination.Broker(server: "broker:5672")
  var ledger = Examination.Ledger(server: "database:5432/vluma")
  var remains = LedgerRemains()
  var overrides: [PoolName: PoolSetting] = [:]
  var nodes = [Patient.node("one"), Patient.node("two")]

  init() {
    settings.pools = [
      Examination.Pool(name: "booking.validate", kinds: ["booking.validate"], sizes: 1...64),
      Examination.Pool(name: "booking.resolve", kinds: ["booking.resolve", "booking.cancel"], sizes: 1...32),
      Examination.Pool(name: "dead.letters", kinds: [], sizes: 1...4, indexesLetters: true),
    ]
    broker.missing = []
    broker.unroutable = 0
    broker.ready = ["booking.validate": 0, "booking.resolve": 0]
    broker.letters = ["booking.validate": 0, "booking.resolve": 0]
  }

  /// A worker process that runs these pools, each with a share of 2.
  static func node(
    _ id: String, _ pools: [String] = ["booking.validate", "booking.resolve", "dead.letters"], inHand: Int = 0,
    lastTaken: Date? = nil
  ) -> NodeReport {
    let report = PoolReport(share: 2, inHand: inHand, lastTakenEnqueuedAt: lastTaken)
    return NodeReport(
      id: id, startedAt: Date(timeIntervalSince1970: 1_790_000_000),
      pools: Dictionary(uniqueKeysWithValues: pools.map { ($0, report) }))
  }

  /// All servers answer.
  var examination: Examination {
    var ledger = ledger
    ledger.holdings = Examination.Holdings(remains: remains, settings: overrides, nodes: nodes)
    return Examination(
      settings: settings, broker: .seen(broker), ledger: .seen(ledger), redis: .seen("cache:6379"))
  }

  var diagnosis: Diagnosis { Diagnosis(examination) }

  /// The one thing that is wrong.
  func finding(sourceLocation: SourceLocation = #_sourceLocation) throws -> Finding {
    let findings = diagnosis.findings
    try #require(findings.count == 1, "\(findings.map(\.sentence))", sourceLocation: sourceLocation)
    return findings[0]
  }
}

extension Diagnosis {
  /// How a check came out.
  func verdict(_ check: HealthCheck) -> Verdict? { checks.first { $0.check == check }?.verdict }

  /// The checks that came out like this.
  func all(_ verdict: Verdict) -> Set<HealthCheck> {
    Set(checks.filter { $0.verdict == verdict }.map(\.check))
  }
}
