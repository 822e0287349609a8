import ArgumentParser
import ServiceLifecycle
import WhatsAppSandbox

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox",
    abstract: "Run the WhatsApp sandbox, on this machine only, for development and tests.",
    discussion: "Needs WHATSAPP_TOKEN and WHATSAPP_APP_SECRET: any text will do, the same as the platform's.")

  @OptionGroup var options: SandboxOptions
  @Option(help: "The port to listen on; 0 lets the system choose.")
  var port = 8090
  @Option(help: "Where webhooks are sent.")
  var webhookURL = "http://127.0.0.1:8080/webhooks/whatsapp"

  func run() async throws {
    let builder = try AppBuilder()
    let configuration = try options.configuration(builder.environment, port: port, webhookURL: webhookURL)
    let sandbox = WhatsAppSandbox(configuration, logger: builder.logger)
    try await builder.runServices([sandbox], ShutdownSignals())
  }
}
