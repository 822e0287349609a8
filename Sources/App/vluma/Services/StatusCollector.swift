import Foundation
import JobConfiguration
import JobOperations
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Messaging
import Postgres
import RabbitMQ

/// Collects the platform's status from the broker and from PostgreSQL.
struct StatusCollector: PlatformStatusSource {
  let configuration: JobConfiguration
  let rabbitMQ: RabbitMQConfiguration
  let pool: PostgresConnectionPool
  let directory: PostgresPoolDirectory

  func status() async -> PlatformStatus {
    var status = PlatformStatus()
    var pools = configuration.pools.map { PlatformStatus.Pool(name: $0.name) }
    do {
      let depths = try await depths()
      for index in pools.indices {
        let name = pools[index].name
        if name == JobConfiguration.deadLetterPool {
          pools[index].queued = configuration.workingPools
            .compactMap { depths[Topology.deadQueue(of: $0.name)] }.reduce(0, +)
          pools[index].dead = 0
        } else {
          pools[index].queued = depths[name.rawValue]
          // Queued dead letters; those of the index are added below.
          pools[index].dead = depths[Topology.deadQueue(of: name)] ?? 0
        }
      }
      status.tiers = configuration.retryTiers.map {
        .init(name: $0.compactText, retrying: depths[Topology.retryName($0)])
      }
      status.unroutable = depths[Topology.unroutable]
    } catch { status.errors.append("\(error)") }
    do {
      let counts = try await QueueCounts.read(pool)
      let (settings, nodes) = try await directory.overview()
      let now = try await PostgresJobStore(pool: pool).now()
      status.nodes = nodes
      status.outbox = counts.outbox
      status.outboxOldestSeconds = counts.outboxOldestSeconds
      for index in pools.indices {
        let name = pools[index].name
        fill(&pools[index], counts, settings[name], nodes.compactMap { $0.pools[name.rawValue] }, at: now)
      }
      status.gauges = try await Self.gauges(pool)
    } catch {
      status.errors.append("\(error)")
      // The queues hold only the dead letters that are not in PostgreSQL's index yet: their number alone would mislead.
      if status.nodes == nil { for index in pools.indices { pools[index].dead = nil } }
    }
    status.pools = pools
    return status
  }

  /// Messages that WhatsApp has not accepted, and suspensions.
  private static func gauges(_ pool: PostgresConnectionPool) async throws -> [PlatformStatus.Gauge] {
    let open = try await MessageStore().openCounts(in: pool)
    let states = [MessageState.prepared, .sending, .inDoubt, .unknown].map { state in
      PlatformStatus.Gauge(
        "vluma_whatsapp_messages", help: "Messages to customers that are not accepted by WhatsApp.",
        label: ["state", state.rawValue], value: Double(open[state] ?? 0))
    }
    let suspensions = try await SuspensionStore().all(in: pool)
    return states + [
      .init(
        "vluma_whatsapp_suspensions", help: "Numbers, templates and accounts that sending is suspended for.",
        value: Double(suspensions.count))
    ]
  }

  private func fill(
    _ entry: inout PlatformStatus.Pool, _ counts: QueueCounts, _ setting: PoolSetting?, _ reports: [PoolReport],
    at now: Date
  ) {
    entry.scheduled = counts.scheduled[entry.name] ?? 0
    if let queued = entry.dead { entry.dead = queued + (counts.dead[entry.name] ?? 0) }
    entry.nodes = reports.count
    entry.running = reports.map(\.running).reduce(0, +)
    entry.localConcurrency = reports.map(\.localConcurrency).reduce(0, +)
    entry.isPaused = setting?.isPaused ?? false
    entry.pausedKinds = (setting?.pausedKinds ?? []).sorted { $0.rawValue < $1.rawValue }
    entry.size = setting?.size ?? configuration.pool(entry.name)?.workers.start
    if entry.queued ?? 0 > 0, let fetched = reports.compactMap(\.lastFetchedEnqueuedAt).max() {
      entry.oldestAgeSeconds = max(0, now.timeIntervalSince(fetched))
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
