import ArgumentParser
import Foundation
import Jobs
import JobsRabbitMQ
import Postgres
import RabbitMQ
import WhatsAppSandbox

struct Up: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run ingest and workers in one process, after bringing database and broker up to date.")

  @Flag(help: "Run a stand-in for WhatsApp's Cloud API as well, and speak with it alone.")
  var sandbox = false
  @Option(help: "The port of the stand-in. (default: 8090)")
  var sandboxPort: Int?
  @OptionGroup var options: SandboxOptions

  private var effectiveSandboxPort: Int { sandboxPort ?? 8090 }

  /// With the stand-in: its address and, where none are set, secrets that the two share.
  private func environment() throws -> Environment {
    var environment = Environment()
    guard sandbox else { return environment }
    environment.overrides[Environment.apiURL.name] = "http://127.0.0.1:\(effectiveSandboxPort)"
    for variable in [Environment.token, Environment.appSecret, Environment.verifyToken]
    where environment.value(variable) == nil {
      environment.overrides[variable.name] = "sandbox-\(UUID.version4())"
    }
    if environment.value(Environment.phoneNumberID) == nil {
      environment.overrides[Environment.phoneNumberID.name] = "106540352242922"
    }
    return environment
  }

  private func makeSandbox(_ builder: AppBuilder) throws -> WhatsAppSandbox? {
    guard sandbox else { return nil }
    let address = try builder.environment.httpAddress()
    guard address.port != 0 else {
      throw Environment.Invalid(
        variable: Environment.httpPort.name, problem: "must be a fixed port with --sandbox: webhooks are sent there")
    }
    let configuration = try options.configuration(
      builder.environment, port: effectiveSandboxPort,
      webhookURL: "http://\(address.host):\(address.port)/webhooks/whatsapp")
    return WhatsAppSandbox(configuration, logger: builder.logger)
  }

  func validate() throws {
    guard sandbox || (options.isEmpty && sandboxPort == nil) else {
      throw ValidationError("--fault, --sandbox-seed, --sandbox-port and --sandbox-log go with --sandbox.")
    }
  }

  func run() async throws {
    let builder = try AppBuilder(environment: try environment())
    // Whatever is missing is told before anything is changed.
    _ = try builder.environment.whatsAppSettings(isNeeded: true)
    _ = try builder.environment.whatsAppSecrets()
    try await Migrate.migrate(builder)
    let topology = JobsRabbitMQ.Topology(try builder.configuration())
    _ = try await RabbitMQAdministration.with(try builder.environment.rabbitMQ()) { try await topology.apply($0) }
    try await builder.run([.ingest, .workers], beside: try makeSandbox(builder))
  }
}

struct IngestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ingest", abstract: "Run the HTTP front.")

  func run() async throws { try await AppBuilder().run([.ingest]) }
}

struct Work: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run workers.")

  @Option(
    name: .customLong("pool"), help: "A pool to work in; may be given several times. Default: all of queues.yaml.")
  var pools: [String] = []

  func run() async throws { try await AppBuilder().run([.workers], pools: pools.map(PoolName.init(rawValue:))) }
}

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database's tables up to date. Safe to run on many nodes at once.")

  func run() async throws {
    let applied = try await Self.migrate(try AppBuilder())
    print(applied.isEmpty ? "The database is up to date." : "Applied: \(applied.joined(separator: ", "))")
  }

  @discardableResult
  static func migrate(_ builder: AppBuilder) async throws -> [String] {
    try await PostgresMigrator(try builder.environment.postgres(), migrations: AppBuilder.migrations).migrate()
  }
}
