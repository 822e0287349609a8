internal import Logging

/// The state that the sandbox's routes share.
struct SandboxState: Sendable {
  let configuration: SandboxConfiguration
  let templates = TemplateCatalog()
  let windows = CustomerServiceWindows()
  let behaviours = RecipientBehaviours()
  let attempts = AttemptCounter()
  let history = MessageHistory()
  let ids: SandboxIDs
  let log: SandboxLog
  let dispatcher: WebhookDispatcher

  init(_ configuration: SandboxConfiguration, logger: Logger) {
    self.configuration = configuration
    ids = SandboxIDs()
    log = SandboxLog(path: configuration.logFile, logger: logger)
    dispatcher = WebhookDispatcher(configuration: configuration, history: history, log: log, logger: logger)
  }

  /// The random choices of the next attempt.
  ///
  /// - Parameter subject: distinguishes the message from others to the same recipient.
  func draw(recipient: String, subject: String) -> SeededDraw {
    let attempts = attempts.next("\(recipient)|\(subject)")
    return SeededDraw(seed: configuration.seed, recipient: recipient, subject: subject, attempts: attempts)
  }

  /// Posts a webhook now, and by chance a second time.
  func post(_ webhook: Webhook, _ draw: SeededDraw) {
    dispatcher.post(webhook)
    guard draw.unit("doubling") < configuration.duplicateShare else { return }
    dispatcher.post(webhook, after: draw.duration(in: configuration.statusDelay, "pause before repeating"))
  }
}
