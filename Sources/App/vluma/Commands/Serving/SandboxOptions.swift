import ArgumentParser
import WhatsAppSandbox

/// How the sandbox behaves; shared by `vluma sandbox` and `vluma up --sandbox`.
struct SandboxOptions: ParsableArguments {
  @Option(help: "Seed of all random choices. (default: 1)")
  var sandboxSeed: UInt64?
  @Option(
    name: .customLong("fault"),
    help: ArgumentHelp(
      "A share of requests and how they are answered, such as 5%:refuse:131000; may be given several times.",
      discussion:
        "Behaviours: accept, refuse:CODE[:HTTP], cut-before, cut-after, silent, silent-after, delay:MS, fail-later:CODE, no-status, cut-after-no-status, wa-id:DIGITS."
    ))
  var faults: [String] = []
  @Option(help: "A file for the sandbox's own log, in JSON lines.")
  var sandboxLog: String?

  func validate() throws {
    for fault in faults where SandboxFault(fault) == nil {
      throw ValidationError("--fault \"\(fault)\" is not SHARE:BEHAVIOUR, such as 5%:refuse:131000.")
    }
  }

  /// True where no option was given.
  var isEmpty: Bool { sandboxSeed == nil && faults.isEmpty && sandboxLog == nil }

  /// The sandbox's configuration, with the secrets of this process' environment.
  func configuration(_ environment: Environment, port: Int, webhookURL: String?) throws -> SandboxConfiguration {
    var configuration = SandboxConfiguration(
      token: try environment.required(Environment.token), appSecret: try environment.required(Environment.appSecret))
    configuration.port = port
    configuration.webhookURL = webhookURL
    configuration.seed = sandboxSeed ?? 1
    configuration.faults = faults.compactMap { SandboxFault($0) }
    configuration.logFile = sandboxLog
    return configuration
  }
}
