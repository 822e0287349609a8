import Foundation
import JobConfiguration
import JobsRabbitMQ
import Logging
import Postgres
import RabbitMQ

/// Checks, before anything starts, that the servers answer and are set up; what is missing is one clear line.
///
/// A server that the roles do not need may be unreachable: ingest started while PostgreSQL or Redis is down accepts
/// bookings, as it would if it had been started before.
struct Preflight {
  let builder: AppBuilder
  let configuration: JobConfiguration
  let roles: ProcessRoles

  /// A server that is unreachable or not set up, and what to do.
  struct NotReady: Error, CustomStringConvertible {
    let description: String
    /// EX_UNAVAILABLE of sysexits, or EX_CONFIG where something must be set up first.
    let exitCode: Int32
  }

  func run() async throws {
    try await checkPostgres()
    try await checkRabbitMQ()
    // Redis is not asked: it holds soft state only, and its client says by itself when it cannot be used.
    _ = try builder.environment.redis()
  }

  private func warn(_ message: Logger.Message, _ error: any Error) {
    builder.logger.warning(message, metadata: ["error": "\(error)"])
  }

  /// Ingest needs PostgreSQL to show bookings only, not to accept them.
  private func checkPostgres() async throws {
    let pending: [String]
    do {
      pending = try await PostgresMigrator(try builder.environment.postgres(), migrations: AppBuilder.migrations)
        .pending()
    } catch let error as PostgresError where error.isUnavailable && roles == .ingest {
      return warn("starting without PostgreSQL", error)
    } catch let error as PostgresError {
      throw NotReady(
        description: "\(error); is \(Environment.postgres.name) right and the server running?", exitCode: EX_UNAVAILABLE
      )
    }
    guard pending.isEmpty else {
      throw NotReady(
        description: "the database lacks \(pending.joined(separator: ", ")): run vluma migrate", exitCode: EX_CONFIG)
    }
  }

  private func checkRabbitMQ() async throws {
    let topology = Topology(configuration)
    let plan: TopologyPlan
    do {
      plan = try await RabbitMQAdministration.with(try builder.environment.rabbitMQ()) {
        try await topology.plan($0)
      }
    } catch let error as RabbitMQError {
      throw NotReady(
        description: "\(error); is \(Environment.rabbitMQ.name) right and the server running?", exitCode: EX_UNAVAILABLE
      )
    }
    guard plan.different.isEmpty else { throw TopologyMismatch(differences: plan.different) }
    guard plan.missing.isEmpty else {
      throw NotReady(
        description: "the broker lacks \(plan.missing.joined(separator: ", ")): run vluma topology apply",
        exitCode: EX_CONFIG)
    }
  }
}
