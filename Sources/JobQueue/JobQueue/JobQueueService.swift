public import Foundation
internal import JobConfiguration
internal import JobEngine
public import Jobs
internal import JobsPostgres
internal import JobsRabbitMQ
public import Logging
internal import Postgres
internal import RabbitMQ
internal import Redis
public import ServiceLifecycle

/// A job queue in one process: it enqueues jobs and runs workers until it is asked to shut down.
///
///     var workers = JobWorkers()
///     workers.register(RemindCustomerWorker())
///     let queue = try JobQueueService(configuration, workers: workers, logger: logger)
///     try await queue.setUp()
///     // In a ServiceGroup:
///     try await queue.run()
///
/// Several processes with the same servers share the work: the pools' sizes are divided among the live ones.
public final class JobQueueService: Service {
  private let jobConfiguration: JobConfiguration
  private let backend: JobQueueBackend
  private let engine: JobProcessor<PostgresJobStore>
  private let rabbitMQ: RabbitMQConfiguration
  private let logger: Logger

  /// Checks the configuration; nothing is connected yet.
  ///
  /// Throws an error whose description names every problem of queues.yaml with line and column, or the URL that cannot
  /// be read.
  public init(_ configuration: JobQueueConfiguration, workers: JobWorkers, logger: Logger) throws {
    jobConfiguration = try JobConfiguration(
      yaml: configuration.queues, file: configuration.queuesFile, workers: workers.registry.registered)
    rabbitMQ = try RabbitMQConfiguration(url: configuration.rabbitMQ)
    backend = try JobQueueBackend(
      node: JobQueueBackend.nodeName(), rabbitMQ: rabbitMQ,
      pool: PostgresConnectionPool(
        try PostgresConfiguration(url: configuration.postgres),
        size: min(max(configuration.postgresConnections, 2), 200)),
      redis: try configuration.redis.map { try RedisConfiguration(url: $0) },
      bodiless: jobConfiguration.bodilessPools, logger: logger)
    engine = backend.engine(
      jobConfiguration, registry: workers.registry, pools: configuration.pools, grace: configuration.shutdownGrace)
    self.logger = logger
  }

  /// Migrates PostgreSQL's schema `jobs` and creates the exchanges and queues that the broker lacks. Safe on many nodes
  /// at once; throws where a queue exists with other arguments.
  public func setUp() async throws {
    _ = try await PostgresMigrator(backend.pool.configuration, migrations: JobMigrations.all).migrate()
    let topology = Topology(jobConfiguration)
    _ = try await RabbitMQAdministration.with(rabbitMQ) { try await topology.apply($0) }
  }

  /// Runs until graceful shutdown: then fetches no more jobs, lets running ones finish within the grace time, and
  /// requeues the rest.
  public func run() async throws {
    let group = ServiceGroup(
      configuration: .init(
        services: (backend.services(isConsuming: true) + [
          PruningService(backend.pool, logger: logger),
          GapMonitor(backend.pool, configuration: jobConfiguration, rabbitMQ: rabbitMQ, logger: logger), engine,
        ]).map {
          .init(
            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup)
        }, logger: Logger(label: "jobqueue.services") { _ in SwiftLogNoOpLogHandler() }))
    // The group follows the graceful shutdown of the group that this service is in.
    do { try await group.run() } catch {
      await backend.pool.close()
      throw error
    }
    await backend.pool.close()
  }

  /// Why this process is not ready; nil while it is connected and consuming. For a readiness probe.
  public var notReadyReason: String? { engine.notReadyReason }

  /// Why a job was not enqueued, or may not have been.
  public enum NotEnqueued: Error, CustomStringConvertible {
    /// No pool of queues.yaml takes the kind.
    case unroutedKind(JobKind)
    /// The broker has no queue for the kind's pool: run ``JobQueueService/setUp()``.
    case unroutable(PoolName)
    /// The broker could not be reached in time, or refused the job: it was not enqueued.
    case unavailable
    /// Its body is larger than 4 MiB, or its properties larger than the broker takes: no other try can succeed.
    case tooLarge
    /// The broker's answer was lost: the job may have been enqueued. Enqueue it again with the same id.
    case inDoubt(JobID)

    /// A sentence that is safe to log.
    public var description: String {
      switch self {
      case .unroutedKind(let kind): "no pool of queues.yaml takes jobs of kind \(kind)"
      case .unroutable(let pool): "the broker has no queue for pool \(pool): call setUp()"
      case .tooLarge: "the job is larger than the queue takes; it was not enqueued"
      case .unavailable: "the broker is not available; the job was not enqueued"
      case .inDoubt(let id): "it is unknown whether the broker holds job \(id): enqueue it again with the same id"
      }
    }
  }

  /// Enqueues a job; it returns once the broker holds it. Throws ``NotEnqueued`` otherwise.
  ///
  /// - Parameter id: the job's identity; nil: a new one. Two jobs with the same id are completed once.
  /// - Parameter tenant: whose job it is; the queue does not interpret it.
  /// - Parameter deadline: the job is cancelled where it has not started by then; nil: never.
  /// - Parameter timeout: how long to wait for the broker's confirm; 5 s by default.
  @discardableResult
  public func enqueue<Work: Job>(
    _ job: Work, id: JobID? = nil, tenant: UUID? = nil, deadline: Date? = nil, timeout: Duration = .seconds(5)
  ) async throws -> JobID {
    guard let pool = jobConfiguration.routes[Work.kind] else { throw NotEnqueued.unroutedKind(Work.kind) }
    let envelope: JobEnvelope
    do {
      envelope = try JobCodec.envelope(for: job, id: id, at: backend.clock.now, tenant: tenant, deadline: deadline)
    } catch is JobTooLarge { throw NotEnqueued.tooLarge }
    let results = await backend.recordingBroker.enqueue(
      [OutgoingJob(envelope, to: .pool(pool))], deadline: .now + timeout)
    switch results.first ?? .unavailable {
    case .enqueued: return envelope.id
    case .unroutable: throw NotEnqueued.unroutable(pool)
    case .unavailable: throw NotEnqueued.unavailable
    case .refused: throw NotEnqueued.tooLarge
    case .inDoubt: throw NotEnqueued.inDoubt(envelope.id)
    }
  }
}
