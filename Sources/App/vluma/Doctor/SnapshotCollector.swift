import ClientLoop
import Foundation
import JobConfiguration
import JobOperations
import Jobs
import Logging
import Postgres
import RabbitMQ
import Redis

/// Collects what the doctor judges: probes each server separately, with a timeout, and changes nothing.
struct SnapshotCollector: Sendable {
  /// Pools to check besides those that PostgreSQL knows.
  private let pools: [PoolName]
  private let environment = Environment()

  /// How long one server may take.
  private static let timeout = Duration.seconds(5)
  /// How long connecting may take, within that.
  private static let connectTimeout = Duration.seconds(3)
  /// Nodes report once a second: a second probe after this time sees new reports.
  private static let recheckDelay = Duration.milliseconds(2_500)

  init(pools: [PoolName]) { self.pools = pools }

  func collect() async -> SystemSnapshot {
    let (settings, configuration) = readSettings()
    async let redis = probeRedis()
    let store = await probePostgres()
    let knownPools = store.value?.contents?.backlog.knownPools ?? []
    let broker = await probeBroker(configuration, knownPools)
    var snapshot = SystemSnapshot(settings: settings, broker: broker, store: store, redis: await redis)
    if !snapshot.stalledPools.isEmpty {
      try? await Task.sleep(for: Self.recheckDelay)
      snapshot.secondProbe = await secondProbe(at: snapshot.stalledPools)
    }
    return snapshot
  }

  /// Reads environment and queues.yaml, and collects all their problems.
  private func readSettings() -> (SystemSnapshot.Settings, JobConfiguration?) {
    let environment = environment
    var settings = SystemSnapshot.Settings(file: environment.queuesFile())
    let readers: [() throws -> Void] = [
      { _ = try environment.rabbitMQ() }, { _ = try environment.postgres() }, { _ = try environment.redis() },
      { _ = try environment.postgresConnections() }, { _ = try environment.shutdownGrace() },
      { _ = try environment.receiptDays() }, { _ = try environment.httpAddress() },
      { _ = try environment.logLevel() }, { _ = try environment.logsJSON() },
      { _ = try environment.whatsAppSecrets() }, { _ = try environment.whatsAppSettings(isNeeded: false) },
    ]
    settings.variables += environment.malformedValues().map { "\($0)" }
    for read in readers {
      do { try read() } catch { settings.variables.append("\(error)") }
    }
    do {
      // Malformed log settings were reported above and must not prevent reading the file.
      var withValidLog = environment
      withValidLog.overrides[Environment.logLevel.name] = "error"
      withValidLog.overrides[Environment.logFormat.name] = "text"
      let configuration = try AppBuilder(environment: withValidLog, checksValues: false).configuration()
      settings.configuration = configuration
      return (settings, configuration)
    } catch {
      settings.fileProblems = "\(error)".split(separator: "\n").map(String.init)
      return (settings, nil)
    }
  }

  private func probeRedis() async -> SystemSnapshot.ProbeResult<String?> {
    let configuration: RedisConfiguration
    do {
      guard let named = try environment.redis() else { return .answered(nil) }
      configuration = named
    } catch { return .skipped("\(error)") }
    return await attempt("Redis at \(configuration.serverName)") {
      let silent = Logger(label: "vluma.doctor") { _ in SwiftLogNoOpLogHandler() }
      try await RedisClient(configuration, logger: silent).firstConnection()
      return configuration.serverName
    }
  }

  private func probePostgres() async -> SystemSnapshot.ProbeResult<SystemSnapshot.Store> {
    let probe: PostgresProbe
    do {
      var configuration = try environment.postgres()
      configuration.connectTimeout = Self.connectTimeout
      probe = PostgresProbe(configuration: configuration, timeout: Self.timeout)
    } catch { return .skipped("\(error)") }
    return await attempt("PostgreSQL at \(probe.configuration.serverName)") { try await probe.collect() }
  }

  private func probeBroker(
    _ configuration: JobConfiguration?, _ knownPools: Set<PoolName>
  ) async -> SystemSnapshot.ProbeResult<SystemSnapshot.Broker> {
    let probe: BrokerProbe
    do { probe = try brokerProbe() } catch { return .skipped("\(error)") }
    let names = knownPools.union(pools)
    return await attempt("RabbitMQ at \(probe.configuration.serverName)") {
      try await probe.collect(configuration, knownPools: names)
    }
  }

  private func brokerProbe() throws -> BrokerProbe {
    var configuration = try environment.rabbitMQ()
    configuration.connectTimeout = Self.connectTimeout
    return BrokerProbe(configuration: configuration)
  }

  /// Probes pools without running jobs a second time; nil where that fails.
  private func secondProbe(at pools: [PoolName]) async -> SystemSnapshot.SecondProbe? {
    guard let probe = try? brokerProbe(), let postgres = try? environment.postgres() else { return nil }
    return try? await withDeadline(.now + Self.timeout) {
      SystemSnapshot.SecondProbe(
        queued: try await probe.ready(in: pools),
        nodes: try await PostgresProbe(configuration: postgres, timeout: Self.timeout).nodes())
    }
  }

  /// Probes one server; a failure becomes a sentence that names it.
  private func attempt<Value: Sendable>(
    _ server: String, _ body: @escaping @Sendable () async throws -> Value
  ) async -> SystemSnapshot.ProbeResult<Value> {
    do {
      return .answered(try await withDeadline(.now + Self.timeout, body))
    } catch is DeadlineExceeded {
      return .failed("\(server) did not answer within \(Self.timeout.compactText)")
    } catch {
      return .failed("\(error)")
    }
  }
}
