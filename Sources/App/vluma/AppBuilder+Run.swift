import ClientLoop
import Curl
import Foundation
import HTTP
import Hummingbird
import JobConfiguration
import JobEngine
import JobQueue
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Logging
import Metrics
import Postgres
import RabbitMQ
import Redis
import ServiceLifecycle
import Workers

extension AppBuilder {
  /// Runs a process with these roles until a signal stops it.
  ///
  /// - Parameter pools: the pools whose workers run; empty: all of queues.yaml.
  /// - Parameter extra: a service that starts before the others and stops after them.
  func run(_ roles: ProcessRoles, pools: [PoolName] = [], beside extra: (any Service)? = nil) async throws {
    let configuration = try configuration()
    for name in pools where configuration.pool(name) == nil {
      throw UnknownPool(name: name, known: configuration.pools.map(\.name))
    }
    let pool = try pool()
    let settings = try ProcessSettings(environment, configuration, roles: roles, pools: pools, logger: logger)
    try await Preflight(builder: self, configuration: configuration, roles: roles).run()
    let metrics = PrometheusRegistry(help: Self.metricsHelp)
    MetricsSystem.bootstrap(metrics)
    let backend = try JobQueueBackend(
      node: JobQueueBackend.nodeName(), rabbitMQ: settings.rabbitMQ, pool: pool, redis: try environment.redis(),
      bodiless: configuration.bodilessPools, reference: { await WebhookReference.reference(to: $0) }, logger: logger)
    await backend.clock.read()
    let resources = resources(roles, settings)
    var services = (extra.map { [$0] } ?? []) + backend.services(isConsuming: roles.contains(.workers))
    var engine: JobProcessor<PostgresJobStore>?
    if roles.contains(.workers) {
      let clock = backend.clock
      engine = backend.engine(
        configuration, registry: Self.registry(settings.whatsApp, logger: logger, now: { clock.now }),
        pools: pools.isEmpty ? nil : Set(pools), grace: try environment.shutdownGrace(), resources: resources)
      let sweeper = MessageSweeper(
        pool: pool, store: backend.store, countPool: configuration.routes[CountEvent.kind], now: { clock.now },
        logger: logger)
      services.append(BackgroundService { await sweeper.run() })
      services.append(
        PruningService(pool, retention: Retention(receiptDays: settings.receiptDays), logger: logger))
      services.append(
        GapMonitor(pool, configuration: configuration, rabbitMQ: settings.rabbitMQ, logger: logger))
    } else {
      services.append(backend.ingestLease(resources: resources))
    }
    services.append(BackgroundService { await ProcessMetrics.run() })
    let shutdown = ShutdownSignals()
    services.append(try makeHTTPServer(configuration, settings, backend, roles, metrics, engine, shutdown))
    if let engine { services.append(engine) }
    // Services stop in reverse order: workers drain while probes still answer, then the HTTP server stops, and the
    // connections last.
    try await runServices(services, shutdown)
    await pool.close()
  }

  /// What the process tells others of its limits; its places for clients only where clients need them.
  private func resources(_ roles: ProcessRoles, _ settings: ProcessSettings) -> @Sendable () -> NodeResources? {
    let clientsMax = roles.contains(.ingest) ? settings.clientsMax : nil
    // So that the first report has figures; few descriptors are open by now.
    ProcessMetrics.record()
    return {
      var resources = ProcessMetrics.resources
      resources.clientsMax = clientsMax
      return resources
    }
  }

  /// What each metric of the process measures, by name.
  private static let metricsHelp = [
    JobMetrics.help, LogMetrics.help, ClientLoopMetrics.help, CurlMetrics.help, PostgresMetrics.help,
    RabbitMQMetrics.help, RedisMetrics.help, HTTPMetrics.help, WorkerMetrics.help,
    ProcessMetrics.help, ConnectionMetrics.help,
  ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

  private func makeHTTPServer(
    _ configuration: JobConfiguration, _ settings: ProcessSettings, _ backend: JobQueueBackend,
    _ roles: ProcessRoles, _ metrics: PrometheusRegistry, _ engine: JobProcessor<PostgresJobStore>?,
    _ shutdown: ShutdownSignals
  ) throws -> any Service {
    let (broker, clock) = (backend.broker, backend.clock)
    let router = Router()
    // On a connection of its own: whoever reads metrics must not wait for workers, nor they for it.
    let collector = try statusCollector(configuration, PostgresConnectionPool(try environment.postgres(), size: 1))
    let readiness = Readiness(
      isFront: roles.contains(.ingest), isStopping: { shutdown.isShuttingDown },
      workersReason: { engine?.notReadyReason }, isBrokerReady: { broker.isReady })
    let probes = ProbeRoutes(registry: metrics, monitor: collector) { readiness.notReadyReason }
    if roles.contains(.ingest) {
      APIRoutes(
        broker: backend.recordingBroker, routes: configuration.routes, stores: backend.pool,
        readConnections: try readConnections(roles), redis: backend.redis, whatsApp: settings.webhookSecrets,
        now: { clock.now }
      ).add(to: router)
      if settings.webhookSecrets == nil {
        logger.warning("webhooks are answered 503: \(Environment.appSecret.name) is not set")
      }
    }
    probes.add(to: router)
    let (logger, address) = (logger, settings.httpAddress)
    return Application(
      router: router,
      server: settings.clients.server,
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: nil,
        availableConnectionsDelegate: settings.clients.delegate),
      onServerRunning: { channel in
        logger.info(
          "listening", metadata: ["address": "http://\(address.host):\(channel.localAddress?.port ?? address.port)"])
      }, logger: LimitedLogHandler.logger(label: "vluma.http", writingTo: logger))
  }

  /// How many of the process' PostgreSQL connections requests may read with: half of them where workers need the
  /// others, or else all but one, for the clock.
  private func readConnections(_ roles: ProcessRoles) throws -> Int {
    let all = try environment.postgresConnections()
    return roles.contains(.workers) ? max(1, all / 2) : max(1, all - 1)
  }

  /// Runs services until a signal stops them, or one of them ends.
  func runServices(_ services: [any Service], _ shutdown: ShutdownSignals) async throws {
    let group = ServiceGroup(
      configuration: .init(
        services: services.map {
          .init(
            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup)
        }, logger: Logger(label: "vluma.services") { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask { await shutdown.watchSignals(logger) { await group.triggerGracefulShutdown() } }
      try await tasks.next()
      tasks.cancelAll()
    }
  }
}
