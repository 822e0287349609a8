import ArgumentParser
import Jobs
import JobsRabbitMQ
import Postgres
import RabbitMQ

struct Up: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run ingest and workers in one process, after bringing database and broker up to date.")

  func run() async throws {
    let composition = try Composition()
    try await Migrate.migrate(composition)
    let topology = JobsRabbitMQ.Topology(try composition.configuration())
    _ = try await RabbitMQAdministration.with(try composition.environment.rabbitMQ()) { try await topology.apply($0) }
    try await composition.run([.ingest, .workers])
  }
}

struct IngestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ingest", abstract: "Run the HTTP front.")

  func run() async throws { try await Composition().run([.ingest]) }
}

struct Work: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run workers.")

  @Option(
    name: .customLong("pool"), help: "A pool to work in; may be given several times. Default: all of queues.yaml.")
  var pools: [String] = []

  func run() async throws { try await Composition().run([.workers], pools: pools.map(PoolName.init(rawValue:))) }
}

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database's tables up to date. Safe to run on many nodes at once.")

  func run() async throws {
    let applied = try await Self.migrate(try Composition())
    print(applied.isEmpty ? "The database is up to date." : "Applied: \(applied.joined(separator: ", "))")
  }

  @discardableResult
  static func migrate(_ composition: Composition) async throws -> [String] {
    try await PostgresMigrator(try composition.environment.postgres(), migrations: Composition.migrations).migrate()
  }
}
