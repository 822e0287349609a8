/// How the stand-in for the WhatsApp Cloud API is to behave.
package struct SandboxConfiguration: Sendable {
  /// The name or address to listen on. Default: loopback only.
  package var host = "127.0.0.1"
  /// The TCP port to listen on. Default 0: the system chooses; ``WhatsAppSandbox/port()`` tells which.
  package var port = 0
  /// The bearer token that requests to send must carry.
  package var token: String
  /// The key webhooks are signed with.
  package var appSecret: String
  /// Where webhooks are posted; nil: none are sent, until ``WhatsAppSandbox/setWebhookURL(_:)`` names a place.
  package var webhookURL: String?
  /// The sending numbers: phone number id to display number, both digits. Empty: any id is taken, and displayed as
  /// 551130031234.
  package var phoneNumberIDs: [String: String] = [:]
  /// What all chance comes from: the same seed draws the same for the same message, whenever it arrives.
  package var seed: UInt64 = 1
  /// What goes wrong by chance: one draw per request decides among them by their shares. What adds up to more than the
  /// whole is never drawn. A request that is wrong in itself is refused before.
  package var faults: [SandboxFault] = []
  /// How long each status webhook comes after the one before it, the first after acceptance.
  package var statusDelay: ClosedRange<Duration> = Duration.milliseconds(20)...Duration.milliseconds(500)
  /// The share of webhooks that are posted twice, 0 to 1.
  package var doubled = 0.1
  /// The share of messages whose statuses are posted in another order, `sent` not first, 0 to 1.
  package var reordered = 0.2
  /// The share of delivered messages that are read as well, 0 to 1.
  package var readShare = 0.6
  /// A file that gets a JSON line per decided request and per webhook posted, recipients masked; nil: none.
  package var logFile: String?

  /// What a test wants as it is, it leaves out; each parameter's meaning and default are the property's.
  package init(
    token: String, appSecret: String, webhookURL: String? = nil, phoneNumberIDs: [String: String] = [:],
    seed: UInt64 = 1, faults: [SandboxFault] = [],
    statusDelay: ClosedRange<Duration> = Duration.milliseconds(20)...Duration.milliseconds(500), doubled: Double = 0.1,
    reordered: Double = 0.2, readShare: Double = 0.6, logFile: String? = nil, host: String = "127.0.0.1", port: Int = 0
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
    self.doubled = doubled
    self.reordered = reordered
    self.readShare = readShare
    self.logFile = logFile
  }

  /// The number recipients see for a phone number id; nil where the id is unknown.
  func displayNumber(of phoneNumberID: String) -> String? {
    phoneNumberIDs.isEmpty ? "551130031234" : phoneNumberIDs[phoneNumberID]
  }
}
