internal import Hummingbird
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A local stand-in for Meta's WhatsApp Cloud API, for development and tests: it takes messages as Meta does, posts
/// signed webhooks about them, and misbehaves where it is told to.
package final class WhatsAppSandbox: Service {
  private let configuration: SandboxConfiguration
  private let sandbox: SandboxState
  private let listening = ListeningPort()
  private let logger: Logger

  /// A sandbox that is yet to be run.
  ///
  /// - Parameter logger: gets the address, and what goes wrong with the sandbox itself.
  package init(_ configuration: SandboxConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    sandbox = SandboxState(configuration, logger: logger)
  }

  /// Serves until the task is cancelled or gracefully shut down; webhooks that are still to be posted are then dropped.
  /// Throws where it cannot listen. To be called once.
  package func run() async throws {
    defer { listening.end() }
    let application = application()
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await self.sandbox.dispatcher.run() }
        try await application.run()
        group.cancelAll()
      }
    } catch {
      // What the server throws when it is cancelled says nothing.
      guard Task.isCancelled else { throw error }
    }
  }

  /// The port it listens on; waits until it does. Throws where it ended first.
  package func port() async throws -> Int { try await listening.wait() }

  /// Where webhooks go from now on, those that were not yet answered included: an `http` or `https` URL.
  package func setWebhookURL(_ url: String) { sandbox.dispatcher.setURL(url) }

  private func application() -> some Service {
    let router = Router(context: SandboxContext.self)
    MessageRoute(sandbox: sandbox).add(to: router)
    ControlRoutes(sandbox: sandbox).add(to: router)
    let (host, configuredPort) = (configuration.host, configuration.port)
    return Application(
      router: router, configuration: .init(address: .hostname(host, port: configuredPort), serverName: nil),
      onServerRunning: { [listening, logger] channel in
        let port = channel.localAddress?.port ?? configuredPort
        logger.info("sandbox listening", metadata: ["address": "http://\(host):\(port)"])
        listening.resolve(port)
      }, logger: Logger(label: "whatsapp-sandbox.http") { _ in SwiftLogNoOpLogHandler() })
  }
}
