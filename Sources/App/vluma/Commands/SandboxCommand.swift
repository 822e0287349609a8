import ArgumentParser
import Foundation
import ServiceLifecycle
import WhatsAppSandbox

/// How the sandbox behaves; shared by `vluma sandbox` and `vluma up --sandbox`.
struct SandboxOptions: ParsableArguments {
  @Option(help: "All draws follow from it. (default: 1)")
  var sandboxSeed: UInt64?
  @Option(
    name: .customLong("fault"),
    help: ArgumentHelp(
      "A share of requests and what becomes of them, such as 5%:refuse:131000; may be given several times.",
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

  /// True where nothing was asked for.
  var isEmpty: Bool { sandboxSeed == nil && faults.isEmpty && sandboxLog == nil }

  /// The sandbox's configuration, with the secrets of this process' environment or those of `fallback`.
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

struct Sandbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a stand-in for WhatsApp's Cloud API, on this machine only, for development and tests.",
    discussion: "Needs WHATSAPP_TOKEN and WHATSAPP_APP_SECRET: any text will do, the same as the platform's.")

  @OptionGroup var options: SandboxOptions
  @Option(help: "The port to listen on; 0 lets the system choose.")
  var port = 8090
  @Option(help: "Where webhooks go.")
  var webhookURL = "http://127.0.0.1:8080/webhooks/whatsapp"

  func run() async throws {
    let builder = try AppBuilder()
    let configuration = try options.configuration(builder.environment, port: port, webhookURL: webhookURL)
    let sandbox = WhatsAppSandbox(configuration, logger: builder.logger)
    try await builder.runServices([sandbox], ShutdownSignals())
  }
}
