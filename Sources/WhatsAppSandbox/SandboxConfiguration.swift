/// The settings of a ``WhatsAppSandbox``.
package struct SandboxConfiguration: Sendable {
  /// The name or address to listen on; by default loopback only.
  package var host = "127.0.0.1"
  /// The TCP port to listen on; 0: the system chooses one, which ``WhatsAppSandbox/port()`` returns.
  package var port = 0
  /// The bearer token that requests to send must carry.
  package var token: String
  /// The key webhooks are signed with.
  package var appSecret: String
  /// Where webhooks are posted; nil: nowhere, until ``WhatsAppSandbox/setWebhookURL(_:)`` is called.
  package var webhookURL: String?
  /// The sending numbers: phone number id to display number, both digits. Empty: every id is accepted, and displayed
  /// as 551130031234.
  package var phoneNumberIDs: [String: String] = [:]
  /// The seed of all random choices: the same seed chooses the same for the same message, whenever it arrives.
  package var seed: UInt64 = 1
  /// Random faults: one draw per valid request decides among them by their shares. Shares beyond a total of 1 are never
  /// drawn.
  package var faults: [SandboxFault] = []
  /// The delay of each status webhook after the one before it, or after acceptance.
  package var statusDelay: ClosedRange<Duration> = Duration.milliseconds(20)...Duration.milliseconds(500)
  /// The share of webhooks that are posted twice, 0 to 1.
  package var duplicateShare = 0.1
  /// The share of messages whose statuses are posted in another order, with `sent` not first, 0 to 1.
  package var reorderedShare = 0.2
  /// The share of delivered messages that are read as well, 0 to 1.
  package var readShare = 0.6
  /// A file that gets a JSON line for each decided request and each posted webhook, with recipients masked; nil: none.
  package var logFile: String?

  package init(
    token: String, appSecret: String, webhookURL: String? = nil, phoneNumberIDs: [String: String] = [:],
    seed: UInt64 = 1, faults: [SandboxFault] = [],
    statusDelay: ClosedRange<Duration> = Duration.milliseconds(20)...Duration.milliseconds(500),
    duplicateShare: Double = 0.1, reorderedShare: Double = 0.2, readShare: Double = 0.6, logFile: String? = nil,
    host: String = "127.0.0.1", port: Int = 0
  ) {
    self.host = host
    self.port = port
    self.token = token
    self.appSecret = appSecret
    self.webhookURL = webhookURL
    self.phoneNumberIDs = phoneNumberIDs
    self.seed = seed
    self.faults = faults
    self.statusDelay = statusDelay
    self.duplicateShare = duplicateShare
    self.reorderedShare = reorderedShare
    self.readShare = readShare
    self.logFile = logFile
  }

  /// The number that recipients see; nil: the id is unknown.
  func displayNumber(of phoneNumberID: String) -> String? {
    phoneNumberIDs.isEmpty ? "551130031234" : phoneNumberIDs[phoneNumberID]
  }
}
