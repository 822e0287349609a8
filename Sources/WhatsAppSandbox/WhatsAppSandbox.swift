internal import Hummingbird
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A local server in place of Meta's WhatsApp Cloud API, for development and tests: it accepts messages as Meta does,
/// posts signed webhooks about them, and fails where it is configured to.
package final class WhatsAppSandbox: Service {
  private let configuration: SandboxConfiguration
  private let sandbox: SandboxState
  private let listening = ListeningPort()
  private let logger: Logger

  /// - Parameter logger: for the address, and problems of the sandbox itself.
  package init(_ configuration: SandboxConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    sandbox = SandboxState(configuration, logger: logger)
  }

  /// Serves until the task is cancelled or gracefully shut down; webhooks not posted by then are dropped. Throws where
  /// it cannot listen. Call it once.
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
      // The server's error after a cancellation has no meaning of its own.
      guard Task.isCancelled else { throw error }
    }
  }

  /// Waits until the sandbox listens, and returns the port; throws where the sandbox ended first.
  package func port() async throws -> Int { try await listening.wait() }

  /// Sets where webhooks are posted, an `http` or `https` URL; it applies to those that are still to be answered too.
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
