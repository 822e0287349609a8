import ArgumentParser
import Foundation
import Jobs
import JobsRabbitMQ
import Postgres
import RabbitMQ
import WhatsAppSandbox

struct UpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Run ingest and workers in one process, after bringing database and broker up to date.")

  @Flag(help: "Run the WhatsApp sandbox as well, and use it instead of Meta's API.")
  var sandbox = false
  @Option(help: "The port of the WhatsApp sandbox. (default: 8090)")
  var sandboxPort: Int?
  @OptionGroup var options: SandboxOptions

  private var effectiveSandboxPort: Int { sandboxPort ?? 8090 }

  func validate() throws {
    guard sandbox || (options.isEmpty && sandboxPort == nil) else {
      throw ValidationError("--fault, --sandbox-seed, --sandbox-port and --sandbox-log go with --sandbox.")
    }
  }

  func run() async throws {
    let builder = try AppBuilder(environment: try environment())
    // Read before anything is changed: a missing variable must not leave a half-updated system.
    _ = try builder.environment.whatsAppSettings(isNeeded: true)
    _ = try builder.environment.whatsAppSecrets()
    try await MigrateCommand.migrate(builder)
    let topology = JobsRabbitMQ.Topology(try builder.configuration())
    _ = try await RabbitMQAdministration.with(try builder.environment.rabbitMQ()) { try await topology.apply($0) }
    try await builder.run([.ingest, .workers], beside: try makeSandbox(builder))
  }

  /// With the sandbox: its address and, where none are set, secrets that platform and sandbox share.
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
}
