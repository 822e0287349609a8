import ClientLoop
import Foundation
import JobConfiguration
import JobOperations
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Messaging
import Postgres
import RabbitMQ

/// Collects the platform's status from the broker and from PostgreSQL, from both at once.
struct StatusCollector: PlatformStatusSource {
  let configuration: JobConfiguration
  let rabbitMQ: RabbitMQConfiguration
  let pool: PostgresConnectionPool
  let directory: PostgresPoolDirectory

  /// How long each of the two may take: where one is silent the other's figures are still shown.
  private static let timeout = Duration.seconds(4)

  /// What PostgreSQL knows.
  private struct StoreStatus: Sendable {
    let counts: QueueCounts
    let settings: [PoolName: PoolSetting]
    let nodes: [NodeReport]
    let now: Date
    let gauges: [PlatformStatus.Gauge]
  }

  func status() async -> PlatformStatus {
    async let store = attempt("PostgreSQL") { try await storeStatus() }
    let queues = await attempt("RabbitMQ") { try await depths() }
    var status = PlatformStatus()
    var pools = configuration.pools.map { PlatformStatus.Pool(name: $0.name) }
    switch queues {
    case .failure(let problem): status.errors.append(problem.description)
    case .success(let depths):
      for index in pools.indices { fill(&pools[index], depths) }
      status.tiers = configuration.retryTiers.map {
        .init(name: $0.compactText, retrying: depths[Topology.retryName($0)])
      }
      status.unroutable = depths[Topology.unroutable]
    }
    switch await store {
    case .failure(let problem):
      status.errors.append(problem.description)
      // The queues hold only the dead letters that are not in PostgreSQL's index yet: their number alone would mislead.
      for index in pools.indices { pools[index].dead = nil }
    case .success(let store):
      status.nodes = store.nodes.filter(\.isWorker)
      status.outbox = store.counts.outbox
      status.outboxOldestSeconds = store.counts.outboxOldestSeconds
      for index in pools.indices {
        let name = pools[index].name
        fill(
          &pools[index], store.counts, store.settings[name], store.nodes.compactMap { $0.pools[name.rawValue] },
          at: store.now)
      }
      status.gauges = store.gauges
    }
    status.pools = pools
    return status
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private func attempt<Value: Sendable>(
    _ server: String, _ body: @escaping @Sendable () async throws -> Value
  ) async -> Result<Value, Failure> {
    do {
      return .success(try await withDeadline(.now + Self.timeout, body))
    } catch is DeadlineExceeded {
      return .failure(Failure(description: "\(server) did not answer within \(Self.timeout.compactText)"))
    } catch {
      return .failure(Failure(description: "\(error)"))
    }
  }

  private func storeStatus() async throws -> StoreStatus {
    let counts = try await QueueCounts.read(pool)
    let (settings, nodes) = try await directory.overview()
    return StoreStatus(
      counts: counts, settings: settings, nodes: nodes, now: try await PostgresJobStore(pool: pool).now(),
      gauges: try await Self.gauges(pool))
  }

  private func fill(_ entry: inout PlatformStatus.Pool, _ depths: [String: Int]) {
    if entry.name == JobConfiguration.deadLetterPool {
      entry.queued = configuration.workingPools.compactMap { depths[Topology.deadQueue(of: $0.name)] }.reduce(0, +)
      entry.dead = 0
    } else {
      entry.queued = depths[entry.name.rawValue]
      // Queued dead letters; those of the index are added below.
      entry.dead = depths[Topology.deadQueue(of: entry.name)] ?? 0
    }
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
    if entry.name != JobConfiguration.deadLetterPool {
      entry.flow = counts.flows[entry.name] ?? JobFlow()
      entry.missing = counts.missing.map { $0[entry.name] ?? 0 }
    }
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
      try await broker.queueDepths(names).mapValues(\.messages)
    }
  }
}
