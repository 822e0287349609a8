internal import Foundation
package import JobConfiguration
package import JobEngine
package import Jobs
package import JobsPostgres
package import JobsRabbitMQ
internal import JobsRedis
package import Logging
package import Postgres
package import RabbitMQ
package import Redis
package import ServiceLifecycle

/// The connections, ports and clock that the services of one process share.
package struct JobQueueBackend: Sendable {
  package let pool: PostgresConnectionPool
  package let store: PostgresJobStore
  package let broker: RabbitMQJobBroker
  /// What jobs are enqueued through outside of jobs' transactions: it records them.
  package let recordingBroker: RecordingBroker<PostgresJobStore>
  package let clock: StoreClock
  package let directory: PostgresPoolDirectory
  package let redis: RedisClient?
  /// Unique for this process, and readable: it is shown to operators.
  package let node: String
  private let publisher: RabbitMQPublisher
  private let consumer: RabbitMQConsumer
  private let recorder: AcceptedJobRecorder<PostgresJobStore>
  private let logger: Logger

  /// Opens nothing: the services that ``services(isConsuming:)`` returns do.
  ///
  /// - Parameter bodiless: pools of whose accepted jobs no body is recorded.
  /// - Parameter reference: what is recorded instead.
  package init(
    node: String, rabbitMQ: RabbitMQConfiguration, pool: PostgresConnectionPool, redis: RedisConfiguration?,
    bodiless: [PoolName], reference: (@Sendable (JobEnvelope) async -> AcceptedReference)? = nil, logger: Logger
  ) throws {
    self.node = node
    self.pool = pool
    self.logger = logger
    publisher = RabbitMQPublisher(rabbitMQ, name: "\(node) publishing", logger: logger)
    consumer = RabbitMQConsumer(rabbitMQ, name: "\(node) consuming", logger: logger)
    broker = RabbitMQJobBroker(publisher: publisher, consumer: consumer)
    store = PostgresJobStore(pool: pool, bodiless: bodiless, logger: logger)
    var options = AcceptedJobRecorder<PostgresJobStore>.Options()
    options.bodiless = Set(bodiless)
    if let reference { options.reference = reference }
    recorder = AcceptedJobRecorder(store: store, options: options, logger: logger)
    recordingBroker = RecordingBroker(broker, recorder: recorder)
    clock = StoreClock(store, logger: logger)
    directory = PostgresPoolDirectory(pool: pool, logger: logger)
    self.redis = try redis.map { try RedisClient($0, timeout: .milliseconds(200), logger: logger) }
  }

  /// Host, process id and a random number: unique for each process.
  package static func nodeName() -> String {
    let process = ProcessInfo.processInfo
    return "\(process.hostName)-\(process.processIdentifier)-\(UInt16.random(in: 0 ... .max))"
  }

  /// The services that must run before jobs can be enqueued and, where the process consumes, delivered.
  package func services(isConsuming: Bool) -> [any Service] {
    let (clock, publisher, consumer, recorder) = (clock, publisher, consumer, recorder)
    return [
      BackgroundService { await clock.run() }, BackgroundService { await recorder.run() },
      BackgroundService { await publisher.run() },
    ]
      + (isConsuming ? [BackgroundService { await consumer.run() }] : [])
  }

  /// The engine, connected to these servers.
  ///
  /// - Parameter pools: the pools to run; nil: all of the configuration.
  /// - Parameter grace: how long running jobs may take to finish on shutdown.
  /// - Parameter resources: what the process has of its machine's limits; it must not block.
  package func engine(
    _ configuration: JobConfiguration, registry: WorkerRegistry<PostgresTransaction>, pools: Set<PoolName>?,
    grace: Duration, resources: @escaping @Sendable () -> NodeResources? = { nil }
  ) -> JobProcessor<PostgresJobStore> {
    let clock = clock
    return JobProcessor(
      configuration: configuration, registry: registry, broker: broker, store: store, directory: directory,
      deadLetterIndex: PostgresDeadLetterIndex(pool: pool),
      limiter: redis.map { RedisRateLimiter(redis: $0) } ?? LocalRateLimiter(),
      options: .init(node: node, pools: pools, grace: grace, now: { clock.now }, resources: resources), logger: logger)
  }

  /// Lists this process, which runs no workers, among the live ones.
  package func ingestLease(resources: @escaping @Sendable () -> NodeResources?) -> any Service {
    let lease = IngestLease(node: node, directory: directory, resources: resources, logger: logger)
    return BackgroundService { await lease.run() }
  }
}
