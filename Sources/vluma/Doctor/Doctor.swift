import Foundation
import JobConfiguration
import Jobs
import Logging
import Operations
import Postgres
import RabbitMQ
import Redis
import Wires

/// Asks every server once, each by itself and none for long, and changes nothing.
struct Doctor: Sendable {
  /// Pools to look for besides those that the ledger remembers.
  private let pools: [PoolName]
  private let environment = Environment()

  /// How long one server may take.
  private static let patience = Duration.seconds(5)
  /// How long connecting may take, within that.
  private static let connectTimeout = Duration.seconds(3)
  /// Nodes report once a second: after this time a second look says something new.
  private static let pause = Duration.milliseconds(2_500)

  init(pools: [PoolName]) { self.pools = pools }

  /// Looks at everything.
  func examine() async -> Examination {
    let (settings, configuration) = readSettings()
    async let redis = lookAtRedis()
    let ledger = await lookAtLedger()
    let remembered = ledger.fact?.holdings?.remains.remembered ?? []
    let broker = await lookAtBroker(configuration, remembered)
    var examination = Examination(settings: settings, broker: broker, ledger: ledger, redis: await redis)
    if !examination.standingStill.isEmpty {
      try? await Task.sleep(for: Self.pause)
      examination.secondLook = await secondLook(at: examination.standingStill)
    }
    return examination
  }

  /// Reads environment and queues.yaml; all that is wrong with them is told at once.
  private func readSettings() -> (Examination.Settings, JobConfiguration?) {
    let environment = environment
    var settings = Examination.Settings(file: environment.queuesFile())
    let readers: [() throws -> Void] = [
      { _ = try environment.rabbitMQ() }, { _ = try environment.postgres() }, { _ = try environment.redis() },
      { _ = try environment.postgresConnections() }, { _ = try environment.grace() },
      { _ = try environment.receiptDays() }, { _ = try environment.httpAddress() },
      { _ = try environment.logLevel() }, { _ = try environment.logsJSON() },
      { _ = try environment.whatsAppSecrets() }, { _ = try environment.whatsAppSettings(isNeeded: false) },
    ]
    for read in readers {
      do { try read() } catch { settings.variables.append("\(error)") }
    }
    do {
      // How it would log has been looked at, and must not keep the file from being read.
      var quiet = environment
      quiet.overrides[Environment.logLevel.name] = "error"
      quiet.overrides[Environment.logFormat.name] = "text"
      let configuration = try Composition(environment: quiet).configuration()
      settings.pools = configuration.pools.map { pool in
        Examination.Pool(
          name: pool.name, kinds: pool.jobs, sizes: pool.workers.min...max(pool.workers.min, pool.workers.max),
          indexesLetters: pool.name == JobConfiguration.deadLetterPool)
      }
      return (settings, configuration)
    } catch {
      settings.fileProblems = "\(error)".split(separator: "\n").map(String.init)
      return (settings, nil)
    }
  }

  private func lookAtRedis() async -> Examination.Look<String?> {
    let configuration: RedisConfiguration
    do {
      guard let named = try environment.redis() else { return .seen(nil) }
      configuration = named
    } catch { return .skipped("\(error)") }
    return await look("Redis at \(configuration.serverName)") {
      let silent = Logger(label: "vluma.doctor") { _ in SwiftLogNoOpLogHandler() }
      try await RedisClient(configuration, logger: silent).firstAttempt()
      return configuration.serverName
    }
  }

  private func lookAtLedger() async -> Examination.Look<Examination.Ledger> {
    let examiner: LedgerExaminer
    do {
      var configuration = try environment.postgres()
      configuration.connectTimeout = Self.connectTimeout
      examiner = LedgerExaminer(configuration: configuration, patience: Self.patience)
    } catch { return .skipped("\(error)") }
    return await look("PostgreSQL at \(examiner.configuration.serverName)") { try await examiner.examine() }
  }

  private func lookAtBroker(
    _ configuration: JobConfiguration?, _ remembered: Set<PoolName>
  ) async -> Examination.Look<Examination.Broker> {
    let examiner: BrokerExaminer
    do { examiner = try brokerExaminer() } catch { return .skipped("\(error)") }
    let names = remembered.union(pools)
    return await look("RabbitMQ at \(examiner.configuration.serverName)") {
      try await examiner.examine(configuration, remembered: names)
    }
  }

  private func brokerExaminer() throws -> BrokerExaminer {
    var configuration = try environment.rabbitMQ()
    configuration.connectTimeout = Self.connectTimeout
    return BrokerExaminer(configuration: configuration)
  }

  /// Looks again at pools where nothing was in hand; nil where that cannot be done.
  private func secondLook(at pools: [PoolName]) async -> Examination.SecondLook? {
    guard let examiner = try? brokerExaminer(), let postgres = try? environment.postgres() else { return nil }
    return try? await withDeadline(.now + Self.patience) {
      Examination.SecondLook(
        ready: try await examiner.ready(in: pools),
        nodes: try await LedgerExaminer(configuration: postgres, patience: Self.patience).nodes())
    }
  }

  /// Looks at one server, and tells in words where that fails.
  private func look<Fact: Sendable>(
    _ server: String, _ body: @escaping @Sendable () async throws -> Fact
  ) async -> Examination.Look<Fact> {
    do {
      return .seen(try await withDeadline(.now + Self.patience, body))
    } catch is DeadlineExceeded {
      return .failed("\(server) did not answer within \(Self.patience.compactText)")
    } catch {
      return .failed("\(error)")
    }
  }
}
