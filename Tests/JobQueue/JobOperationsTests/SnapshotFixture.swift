import Foundation
import JobConfiguration
import JobOperations
import Jobs
import Testing

/// A healthy platform of two pools, as it is seen from outside; each test breaks something of it.
struct SnapshotFixture {
  var settings = SystemSnapshot.Settings(file: "queues.yaml")
  var broker = SystemSnapshot.Broker(server: "broker:5672")
  var store = SystemSnapshot.Store(server: "database:5432/vluma")
  var backlog = BacklogSnapshot()
  var overrides: [PoolName: PoolSetting] = [:]
  var gaps = GapReport()
  var nodes = [SnapshotFixture.node("one"), SnapshotFixture.node("two")]

  init() {
    settings.configuration = JobConfiguration(
      retryTiers: [.seconds(1)],
      pools: [
        Self.pool("booking.validate", ["booking.validate"], max: 64),
        Self.pool("booking.resolve", ["booking.resolve", "booking.cancel"], max: 32),
        Self.pool(JobConfiguration.deadLetterPool, [], max: 4),
      ])
    gaps.secondsSinceLook = 3
    broker.plan = TopologyPlan()
    broker.unroutable = 0
    broker.queued = ["booking.validate": 0, "booking.resolve": 0]
    broker.deadLetters = ["booking.validate": 0, "booking.resolve": 0]
  }

  private static func pool(_ name: PoolName, _ kinds: [JobKind], max: Int) -> PoolConfiguration {
    PoolConfiguration(name: name, jobs: kinds, workers: WorkerCounts(min: 1, start: 1, max: max))
  }

  /// A worker process that runs these pools, each with a local concurrency of 2, and has descriptors enough.
  static func node(
    _ id: String, _ pools: [String] = ["booking.validate", "booking.resolve", "dead.letters"], running: Int = 0,
    lastFetched: Date? = nil
  ) -> NodeReport {
    let report = PoolReport(localConcurrency: 2, running: running, lastFetchedEnqueuedAt: lastFetched)
    return NodeReport(
      id: id, startedAt: Date(timeIntervalSince1970: 1_790_000_000),
      pools: Dictionary(uniqueKeysWithValues: pools.map { ($0, report) }),
      resources: NodeResources(openDescriptors: 40, descriptorsMax: 65_536))
  }

  /// An ingest process.
  static func ingest(_ id: String, _ resources: NodeResources?) -> NodeReport {
    NodeReport(id: id, startedAt: Date(timeIntervalSince1970: 1_790_000_000), pools: [:], resources: resources)
  }

  /// All servers answer.
  var snapshot: SystemSnapshot {
    var store = store
    store.contents = SystemSnapshot.StoreContents(backlog: backlog, settings: overrides, nodes: nodes, gaps: gaps)
    return SystemSnapshot(
      settings: settings, broker: .answered(broker), store: .answered(store), redis: .answered("cache:6379"))
  }

  var report: DoctorReport { DoctorReport(snapshot) }

  /// The one thing that is wrong.
  func finding(sourceLocation: SourceLocation = #_sourceLocation) throws -> Finding {
    let findings = report.findings
    try #require(findings.count == 1, "\(findings.map(\.message))", sourceLocation: sourceLocation)
    return findings[0]
  }
}

extension DoctorReport {
  /// How a check came out.
  func status(_ check: DoctorCheck) -> Status? { checks.first { $0.check == check }?.status }

  /// The checks that came out like this.
  func all(_ status: Status) -> Set<DoctorCheck> {
    Set(checks.filter { $0.status == status }.map(\.check))
  }
}
