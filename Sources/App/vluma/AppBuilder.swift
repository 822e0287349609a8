import Bookings
import Foundation
import HTTP
import Hummingbird
import JobConfiguration
import JobEngine
import JobOperations
import Jobs
import JobsPostgres
import JobsRabbitMQ
import JobsRedis
import Logging
import Messaging
import Metrics
import Postgres
import RabbitMQ
import Redis
import Reports
import ServiceLifecycle
import Workers

/// Where everything is put together; nothing else knows everything.
struct AppBuilder: Sendable {
  let environment: Environment
  let logger: Logger

  init(environment: Environment = .init()) throws {
    self.environment = environment
    let level = try environment.logLevel()
    let isJSON = try environment.logsJSON()
    logger = Logger(label: "vluma") { LineLogHandler(label: $0, level: level, isJSON: isJSON) }
    if let failpoints = environment.failpoints() { try Failpoint.arm(failpoints) }
  }

  /// All workers of the platform.
  ///
  /// - Parameter now: the clock by which they decide what is past.
  static func registry(
    _ whatsApp: WhatsAppSettings, now: @escaping @Sendable () -> Date = { Date() }
  ) -> WorkerRegistry<PostgresTransaction> {
    let messages = MessageStore(defaultNumber: whatsApp.defaultNumber)
    var registry = WorkerRegistry<PostgresTransaction>()
    registry.register(ValidateBookingWorker(messages: messages, now: now))
    registry.register(ResolveBookingWorker(messages: messages, now: now))
    registry.register(CancelBookingWorker(messages: messages, now: now))
    registry.register(RescheduleBookingWorker(messages: messages, now: now))
    registry.register(ConfirmAttendanceWorker(now: now))
    registry.register(WhatsAppEventWorker(messages: messages, now: now))
    registry.register(SendTemplateWorker(api: whatsApp.api, messages: messages, policy: whatsApp.policy, now: now))
    registry.register(CountEventWorker())
    registry.countsJobFactory = { try CountEvent.envelope(of: $0, $1, at: now()) }
    return registry
  }

  /// All migrations, in order.
  static let migrations =
    JobMigrations.all + BookingMigrations.all + MessagingMigrations.all + ReportMigrations.all

  /// queues.yaml, read and checked.
  func configuration() throws -> JobConfiguration {
    let file = environment.queuesFile()
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw Environment.Invalid(
        variable: Environment.queuesFile.name,
        problem: "names \(file), which cannot be read; run from the repository's folder, or set it")
    }
    let workers = Self.registry(.none).registered.map {
      JobConfiguration.KnownWorker(kind: $0.kind, takesBatches: $0.takesBatches, minimumTimeout: $0.minimumTimeout)
    }
    return try JobConfiguration(yaml: text, file: file, workers: workers)
  }

  /// PostgreSQL's connections for this process.
  func pool() throws -> PostgresConnectionPool {
    PostgresConnectionPool(try environment.postgres(), size: try environment.postgresConnections())
  }

  func directory(_ pool: PostgresConnectionPool) -> PostgresPoolDirectory {
    PostgresPoolDirectory(pool: pool, logger: logger)
  }

  func monitor(_ configuration: JobConfiguration, _ pool: PostgresConnectionPool) throws -> StatusCollector {
    StatusCollector(
      configuration: configuration, rabbitMQ: try environment.rabbitMQ(), pool: pool, directory: directory(pool))
  }

  /// The roles a process can have.
  struct Roles: OptionSet {
    let rawValue: Int
    static let ingest = Roles(rawValue: 1)
    static let workers = Roles(rawValue: 2)
  }

  /// Runs a process with these roles until a signal ends it.
  ///
  /// - Parameter extra: a service that is to run beside them, from the first to the last.
  func run(_ roles: Roles, pools: [PoolName] = [], beside extra: (any Service)? = nil) async throws {
    let configuration = try configuration()
    for name in pools where configuration.pool(name) == nil {
      throw UnknownPool(name: name, known: configuration.pools.map(\.name))
    }
    let pool = try pool()
    let rabbitMQ = try environment.rabbitMQ()
    let address = try environment.httpAddress()
    let clients = ClientConnections(
      limit: try DescriptorLimit.clients(
        limit: DescriptorLimit.current, postgresConnections: try environment.postgresConnections()))
    let receiptDays = try environment.receiptDays()
    let secrets = roles.contains(.ingest) ? try environment.whatsAppSecrets() : nil
    let sends = configuration.routes[SendTemplate.kind].map { pools.isEmpty || pools.contains($0) } ?? false
    let whatsApp = try environment.whatsAppSettings(isNeeded: roles.contains(.workers) && sends)
    try await Preflight(builder: self, configuration: configuration, roles: roles).run()
    let registry = PrometheusRegistry()
    MetricsSystem.bootstrap(registry)
    let node =
      "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)-\(UInt16.random(in: 0 ... .max))"
    let publisher = RabbitMQPublisher(rabbitMQ, name: "\(node) publishing", logger: logger)
    let consumer = RabbitMQConsumer(rabbitMQ, name: "\(node) consuming", logger: logger)
    let broker = RabbitMQJobBroker(publisher: publisher, consumer: consumer)
    let store = PostgresJobStore(pool: pool)
    let clock = StoreClock(store, logger: logger)
    await clock.read()
    var services: [any Service] = extra.map { [$0] } ?? []
    services.append(BackgroundService("keeping time") { await clock.run() })
    services.append(BackgroundService("publishing") { await publisher.run() })
    let redis = try environment.redis().map { try RedisClient($0, timeout: .milliseconds(200), logger: logger) }
    var processor: JobProcessor<PostgresJobStore>?
    if roles.contains(.workers) {
      let options = JobProcessor<PostgresJobStore>.Options(
        node: node, pools: pools.isEmpty ? nil : Set(pools), grace: try environment.grace(),
        now: { clock.now })
      processor = JobProcessor(
        configuration: configuration, registry: Self.registry(whatsApp, now: { clock.now }), broker: broker,
        store: store, directory: directory(pool),
        letters: PostgresDeadLetterIndex(pool: pool),
        limiter: redis.map { RedisRateLimiter(redis: $0) } ?? LocalRateLimiter(), options: options, logger: logger)
      services.append(BackgroundService("consuming") { await consumer.run() })
      let sweeper = MessageSweeper(pool: pool, now: { clock.now }, logger: logger)
      services.append(BackgroundService("sweeping") { await sweeper.run() })
      let pruning = PruningService(
        pruner: JobPruner(pool.configuration, retention: Retention(receiptDays: receiptDays)), logger: logger)
      services.append(BackgroundService("pruning") { await pruning.run() })
    }
    let stopping = ShutdownSignals()
    let router = Router()
    let probes = ProbeRoutes(registry: registry, monitor: try monitor(configuration, pool)) { [processor] in
      if stopping.isShuttingDown { return "stopping" }
      if let reason = processor?.notReadyReason { return reason }
      return broker.isReady ? nil : "the broker is away or has an alarm"
    }
    if roles.contains(.ingest) {
      APIRoutes(
        broker: broker, routes: configuration.routes, stores: pool, redis: redis, whatsApp: secrets,
        now: { clock.now }
      ).add(to: router)
      if secrets == nil { logger.warning("webhooks are answered 503: WHATSAPP_APP_SECRET is not set") }
    }
    probes.add(to: router)
    services.append(server(router, address, clients))
    if let processor { services.append(processor) }
    // Stopped in reverse: first the workers drain while probes still answer, then the front, then the connections.
    try await runServices(services, stopping)
    await pool.close()
  }

  private func server(
    _ router: Router<BasicRequestContext>, _ address: (host: String, port: Int), _ clients: ClientConnections
  ) -> any Service {
    let logger = logger
    return Application(
      router: router,
      server: .http1(
        configuration: .init(additionalChannelHandlers: [clients.handler()], idleTimeout: .seconds(75))),
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: nil,
        availableConnectionsDelegate: clients.delegate),
      onServerRunning: { channel in
        logger.info(
          "listening", metadata: ["address": "http://\(address.host):\(channel.localAddress?.port ?? address.port)"])
      }, logger: Logger(label: "vluma.http") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Runs services until a signal, or their end.
  func runServices(_ services: [any Service], _ stopping: ShutdownSignals) async throws {
    let group = ServiceGroup(
      configuration: .init(
        services: services.map {
          .init(
            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup)
        }, logger: Logger(label: "vluma.services") { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask { await stopping.watchSignals(logger) { await group.triggerGracefulShutdown() } }
      try await tasks.next()
      tasks.cancelAll()
    }
  }
}

/// A pool that queues.yaml does not have.
struct UnknownPool: Error, CustomStringConvertible {
  let name: PoolName
  let known: [PoolName]
  var description: String {
    "queues.yaml has no pool \"\(name)\"; it has \(known.map(\.rawValue).joined(separator: ", "))"
  }
}

/// Something that runs until it is cancelled, as a service that ends when it is asked to.
struct BackgroundService: Service {
  private let name: String
  private let body: @Sendable () async -> Void

  init(_ name: String, _ body: @escaping @Sendable () async -> Void) {
    self.name = name
    self.body = body
  }

  func run() async throws { await cancelWhenGracefulShutdown { await body() } }
}
