import Foundation
import JobConfiguration
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Postgres
import RabbitMQ
import Stores

/// Asks the broker and the ledger for all that can be counted.
struct LivePlatformMonitor: PlatformMonitor {
  let configuration: JobConfiguration
  let rabbitMQ: RabbitMQConfiguration
  let pool: PostgresPool
  let directory: PostgresPoolDirectory

  func status() async -> PlatformStatus {
    var status = PlatformStatus()
    var pools = configuration.pools.map { PlatformStatus.Pool(name: $0.name) }
    do {
      let depths = try await depths()
      for index in pools.indices {
        let name = pools[index].name
        if name == JobConfiguration.deadLetterPool {
          pools[index].ready = configuration.workingPools.compactMap { depths[Topology.deadQueue(of: $0.name)] }.reduce(
            0, +)
        } else {
          pools[index].ready = depths[name.rawValue]
          pools[index].dead = depths[Topology.deadQueue(of: name)] ?? 0
        }
      }
      status.tiers = configuration.retryTiers.map {
        .init(name: $0.compactText, waiting: depths[Topology.retryName($0)])
      }
      status.unroutable = depths[Topology.unroutable]
    } catch { status.troubles.append("\(error)") }
    do {
      let counts = try await LedgerCounts.read(pool)
      let (settings, nodes) = try await directory.overview()
      status.nodes = nodes
      status.outbox = counts.outbox
      status.outboxOldestSeconds = counts.outboxOldestSeconds
      let now = try await PostgresJobLedger(pool: pool).now()
      for index in pools.indices {
        let name = pools[index].name
        fill(&pools[index], counts, settings[name], nodes.compactMap { $0.pools[name.rawValue] }, at: now)
      }
      status.figures = try await Self.figures(pool)
    } catch { status.troubles.append("\(error)") }
    status.pools = pools
    return status
  }

  /// Messages that are not through, and what holds them up.
  private static func figures(_ pool: PostgresPool) async throws -> [PlatformStatus.Figure] {
    let open = try await OutboundStore().openCounts(in: pool)
    let states = [SendState.prepared, .sending, .inDoubt, .unknown].map { state in
      PlatformStatus.Figure(
        "whatsapp_messages", help: "Messages to customers that are not accepted by WhatsApp.",
        label: ["state", state.rawValue], value: Double(open[state] ?? 0))
    }
    let pauses = try await PauseStore().all(in: pool)
    return states + [
      .init(
        "whatsapp_pauses", help: "Numbers, templates and accounts that nothing is sent for.",
        value: Double(pauses.count))
    ]
  }

  private func fill(
    _ entry: inout PlatformStatus.Pool, _ counts: LedgerCounts, _ setting: PoolSetting?, _ reports: [PoolReport],
    at now: Date
  ) {
    entry.delayed = counts.delayed[entry.name] ?? 0
    entry.dead += counts.dead[entry.name] ?? 0
    entry.nodes = reports.count
    entry.inHand = reports.map(\.inHand).reduce(0, +)
    entry.share = reports.map(\.share).reduce(0, +)
    entry.isPaused = setting?.isPaused ?? false
    entry.pausedKinds = (setting?.pausedKinds ?? []).sorted { $0.rawValue < $1.rawValue }
    entry.size = setting?.size ?? configuration.pool(entry.name)?.workers.start ?? 0
    if entry.ready ?? 0 > 0, let taken = reports.compactMap(\.lastTakenEnqueuedAt).max() {
      entry.oldestSeconds = max(0, now.timeIntervalSince(taken))
    }
  }

  private func depths() async throws -> [String: Int] {
    let names = Topology(configuration).queues.map(\.name)
    return try await RabbitMQAdministration.with(rabbitMQ, name: "vluma monitoring") { broker in
      var depths: [String: Int] = [:]
      for name in names { depths[name] = try await broker.queueDepth(name)?.messages }
      return depths
    }
  }
}
