internal import ClientLoop
internal import Foundation
package import JobConfiguration
internal import JobOperations
internal import Jobs
internal import JobsPostgres
internal import JobsRabbitMQ
package import Logging
package import Postgres
package import RabbitMQ
internal import ServiceLifecycle

/// Compares what was accepted with what exists, every few seconds and in one process at a time: jobs that were
/// accepted, have not ended and are nowhere are missing.
package struct GapMonitor: Service {
  private let configuration: JobConfiguration
  private let rabbitMQ: RabbitMQConfiguration
  private let jobs: PostgresJobStore
  private let gaps: PostgresGapStore
  private let directory: PostgresPoolDirectory
  private let logger: Logger

  /// Seconds between two looks of this process, chosen at random: a load that comes and goes in step with the looks
  /// would always look the same.
  private static let interval = 4.0...6.0
  /// A look that another process has begun less long ago stands.
  private static let intervalMin = Duration.seconds(3)
  /// What follows a look that took long: counting may cost no more than a twentieth of the time, and no look comes so
  /// late that a gap could not be named within a minute.
  private static let (costFactor, intervalMax) = (20.0, Duration.seconds(9))
  /// How long the broker may take to name all depths.
  private static let brokerTimeout = Duration.seconds(4)
  /// The broker takes jobs back from a silent node after two heartbeats, of 10 s by default.
  private static let silentSeconds = 30
  /// The most pools outside of queues.yaml that are looked at.
  private static let removedPoolsMax = 200

  package init(
    _ pool: PostgresConnectionPool, configuration: JobConfiguration, rabbitMQ: RabbitMQConfiguration, logger: Logger
  ) {
    self.configuration = configuration
    self.rabbitMQ = rabbitMQ
    self.logger = logger
    jobs = PostgresJobStore(pool: pool)
    gaps = PostgresGapStore(pool: pool)
    directory = PostgresPoolDirectory(pool: pool, logger: logger)
  }

  package func run() async throws { await cancelWhenGracefulShutdown { await watch() } }

  /// Looks until the task is cancelled.
  private func watch() async {
    var isUnknown = false
    var named: [PoolName: Int] = [:]
    while !Task.isCancelled {
      let start = ContinuousClock.now
      do {
        try await look()
        if isUnknown { logger.info("recovered: accepted jobs are compared with what exists") }
        isUnknown = false
        try await log(&named)
      } catch {
        if Task.isCancelled { return }
        let reason = "\(error)"
        if !isUnknown {
          logger.warning(
            "accepted jobs cannot be compared with what exists; missing jobs would not be noticed until they can",
            metadata: ["error": "\(reason)"])
        }
        isUnknown = true
        try? await gaps.fail(reason)
      }
      let cost = (ContinuousClock.now - start) * Self.costFactor
      let delay = max(Duration.seconds(Double.random(in: Self.interval)), min(cost, Self.intervalMax))
      try? await Task.sleep(for: delay)
    }
  }

  /// Looks once, unless another process does; throws where a source cannot be read.
  package func look() async throws {
    guard let knownTiers = try await gaps.begin(interval: Self.intervalMin) else { return }
    var holdings = JobHoldings()
    // Where jobs seem to be missing, every record is checked: some may have ended unnoticed.
    let suspected = try await gaps.hasSuspicion()
    holdings.flowsBefore = try await jobs.sweepAccepted(thoroughly: suspected)
    holdings.stored = try await gaps.storedCounts()
    let tiers = try await readBroker(&holdings, tiers: knownTiers)
    holdings.nodes = try await directory.reports(silentFor: Self.silentSeconds)
    holdings.overdue = try await gaps.overdueCounts()
    holdings.flowsAfter = try await gaps.flows()
    try await gaps.finish(
      missing: holdings.missing(), overdue: holdings.missingOverdue(), unroutable: holdings.unroutable, tiers: tiers)
  }

  /// Reads the depths of all queues; returns the queues of retry tiers that exist.
  private func readBroker(_ holdings: inout JobHoldings, tiers: [String]) async throws -> [String] {
    let pools = pools(holdings.flowsBefore)
    let tiers = Set(tiers + configuration.retryTiers.map(Topology.retryName)).sorted()
    let names = pools.map(\.rawValue) + tiers + [Topology.unroutable] + pools.map(Topology.deadQueue)
    let rabbitMQ = rabbitMQ
    let depths = try await withDeadline(.now + Self.brokerTimeout) {
      try await RabbitMQAdministration.with(rabbitMQ, name: "vluma gap monitor") { broker in
        try await broker.queueDepths(names).mapValues(\.messages)
      }
    }
    // A queue that does not exist holds nothing.
    for pool in pools {
      holdings.queued[pool] = depths[pool.rawValue] ?? 0
      holdings.deadLetters[pool] = depths[Topology.deadQueue(of: pool)] ?? 0
    }
    holdings.retrying = tiers.reduce(0) { $0 + (depths[$1] ?? 0) }
    holdings.unroutable = depths[Topology.unroutable] ?? 0
    return tiers.filter { depths[$0] != nil }
  }

  /// The pools of queues.yaml, and others of which not all jobs have ended.
  private func pools(_ flows: [PoolName: JobFlow]) -> [PoolName] {
    let working = configuration.workingPools.map(\.name)
    let known = Set(working)
    // AMQP allows 255 bytes; an empty name means the last declared queue.
    let others = flows.filter {
      $0.value.open != 0 && !known.contains($0.key) && !$0.key.rawValue.isEmpty
        && Topology.deadQueue(of: $0.key).utf8.count <= 255
    }
    return working + others.keys.sorted().prefix(Self.removedPoolsMax)
  }

  /// Logs pools that begin or cease to have missing jobs.
  private func log(_ named: inout [PoolName: Int]) async throws {
    let missing = try await gaps.report().missing
    for pool in missing where named[pool.pool] == nil {
      logger.error(
        "accepted jobs are missing: they have not ended and are in no queue; see vluma doctor, then vluma missing enqueue",
        metadata: ["pool": "\(pool.pool)", "missing": "\(pool.count)"])
    }
    for pool in named.keys where !missing.contains(where: { $0.pool == pool }) {
      logger.info("no jobs are missing any more", metadata: ["pool": "\(pool)"])
    }
    named = Dictionary(uniqueKeysWithValues: missing.map { ($0.pool, $0.count) })
  }
}
