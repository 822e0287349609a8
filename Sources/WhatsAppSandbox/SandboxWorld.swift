internal import Logging

/// All that the sandbox's routes share.
struct SandboxWorld: Sendable {
  let configuration: SandboxConfiguration
  let templates = TemplateCatalog()
  let windows = SessionWindows()
  let behaviours = RecipientBehaviours()
  let tries = TryCounter()
  let ledger = MessageLedger()
  let ids: SandboxIDs
  let log: SandboxLog
  let poster: WebhookPoster

  init(_ configuration: SandboxConfiguration, logger: Logger) {
    self.configuration = configuration
    ids = SandboxIDs()
    log = SandboxLog(path: configuration.logFile, logger: logger)
    poster = WebhookPoster(configuration: configuration, ledger: ledger, log: log, logger: logger)
  }

  /// The chances of a message that is tried now.
  ///
  /// - Parameter subject: what tells it from others to the same recipient.
  func draw(recipient: String, subject: String) -> Draw {
    let tries = tries.next("\(recipient)|\(subject)")
    return Draw(seed: configuration.seed, recipient: recipient, subject: subject, tries: tries)
  }

  /// Posts a webhook that is due now, and perhaps once more.
  func post(_ webhook: Webhook, _ draw: Draw) {
    poster.post(webhook)
    guard draw.unit("doubling") < configuration.doubled else { return }
    poster.post(webhook, after: draw.duration(in: configuration.statusDelay, "pause before repeating"))
  }
}
