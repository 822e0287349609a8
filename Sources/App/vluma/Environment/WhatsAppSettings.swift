import WhatsApp
import Workers

/// How this process sends messages through WhatsApp.
struct WhatsAppSettings: Sendable {
  let api: any MessageSender
  /// The phone number id of businesses without one of their own; nil: those send nothing.
  let defaultNumber: String?
  let policy: SendTemplateWorker.InDoubtPolicy

  /// For listing workers without running them.
  static let none = WhatsAppSettings(api: UnconfiguredCloudAPI(), defaultNumber: nil, policy: .init())
}

/// Stands in for the API in a process without a token: it sends nothing.
struct UnconfiguredCloudAPI: MessageSender {
  func send(_ message: TemplateMessage) async -> SendResult { .notSent(reason: "WHATSAPP_TOKEN is not set") }
}
