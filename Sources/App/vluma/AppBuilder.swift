import Bookings
import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Logging
import Messaging
import Postgres
import RabbitMQ
import Reports
import Workers

/// The composition root: the only place that knows every part of the program.
struct AppBuilder: Sendable {
  let environment: Environment
  let logger: Logger

  /// - Parameter checksValues: false: the caller reports what is wrong with the variables' values itself.
  init(environment: Environment = .init(), checksValues: Bool = true) throws {
    self.environment = environment
    if checksValues, let problem = environment.malformedValues().first { throw problem }
    let level = try environment.logLevel()
    let isJSON = try environment.logsJSON()
    logger = Logger(label: "vluma") { LineLogHandler(label: $0, level: level, isJSON: isJSON) }
    if let failpoints = environment.failpoints() { try Failpoint.arm(failpoints) }
  }

  /// Every worker of the platform.
  ///
  /// - Parameter logger: for warnings that are about no single job; nil: the workers are only listed.
  /// - Parameter now: the clock by which workers decide what is in the past.
  static func registry(
    _ whatsApp: WhatsAppSettings, logger: Logger? = nil, now: @escaping @Sendable () -> Date = { Date() }
  ) -> WorkerRegistry<PostgresTransaction> {
    let messages = MessageStore(defaultNumber: whatsApp.defaultNumber)
    var registry = WorkerRegistry<PostgresTransaction>()
    registry.register(ValidateBookingWorker(messages: messages, now: now))
    registry.register(ResolveBookingWorker(messages: messages, now: now))
    registry.register(CancelBookingWorker(messages: messages, now: now))
    registry.register(RescheduleBookingWorker(messages: messages, now: now))
    registry.register(ConfirmAttendanceWorker(now: now))
    registry.register(WhatsAppEventWorker(messages: messages, logger: logger, now: now))
    registry.register(SendTemplateWorker(api: whatsApp.api, messages: messages, policy: whatsApp.policy, now: now))
    registry.register(CountEventWorker())
    registry.countsJobFactory = { try CountEvent.envelope(of: $0, $1, at: now()) }
    return registry
  }

  /// All migrations, in the order they are applied.
  static let migrations =
    JobMigrations.all + BookingMigrations.all + MessagingMigrations.all + ReportMigrations.all

  /// Reads and validates queues.yaml.
  func configuration() throws -> JobConfiguration {
    let file = environment.queuesFile()
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw Environment.Invalid(
        variable: Environment.queuesFile.name,
        problem: "names \(file), which cannot be read; run from the repository's folder, or set it")
    }
    return try JobConfiguration(yaml: text, file: file, workers: Self.registry(.none).registered)
  }

  func pool() throws -> PostgresConnectionPool {
    PostgresConnectionPool(try environment.postgres(), size: try environment.postgresConnections())
  }

  func directory(_ pool: PostgresConnectionPool) -> PostgresPoolDirectory {
    PostgresPoolDirectory(pool: pool, logger: logger)
  }

  func statusCollector(_ configuration: JobConfiguration, _ pool: PostgresConnectionPool) throws -> StatusCollector {
    StatusCollector(
      configuration: configuration, rabbitMQ: try environment.rabbitMQ(), pool: pool, directory: directory(pool))
  }
}
