package import Foundation

/// One thing a webhook tells.
package enum WebhookUpdate: Sendable, Equatable {
  case message(InboundMessage)
  case status(StatusReport)
  case event(ProviderEvent)
}

/// Where an update comes from.
package struct WebhookOrigin: Sendable, Hashable {
  /// The business account (`entry.id`).
  package var account: String?
  /// The id of the number that was written to, or that sent.
  package var phoneNumberID: String?
  /// That number's digits; the only thing some management events carry.
  package var displayNumber: String?

  /// Names an origin; what is not known is nil.
  package init(account: String? = nil, phoneNumberID: String? = nil, displayNumber: String? = nil) {
    self.account = account
    self.phoneNumberID = phoneNumberID
    self.displayNumber = displayNumber
  }
}

/// A message from a customer.
package struct InboundMessage: Sendable, Equatable {
  /// The account and number it came to.
  package let origin: WebhookOrigin
  /// The provider's id, by which it is known.
  package let wamid: String
  /// The sender's number as digits; nil for users who show none.
  package let from: String?
  /// The sender's business-scoped user id; nil where it is not told.
  package let userID: String?
  /// The sender's name in WhatsApp; nil where it is not told.
  package let profileName: String?
  /// When it was sent; nil where that cannot be read.
  package let at: Date?
  /// `text`, `image`, `button` and so on, also such as nobody knows yet.
  package let type: String
  /// The message it answers; nil where it answers none.
  package let contextID: String?
  /// What a pressed button, or a chosen row, sent back.
  package let replyPayload: String?
  /// The message as JSON.
  package let raw: String
}

/// What became of a sent message.
package struct StatusReport: Sendable, Equatable {
  /// The account and number it was sent from.
  package let origin: WebhookOrigin
  /// The message's id at the provider.
  package let wamid: String
  /// What became of it.
  package let status: DeliveryStatus
  /// When; nil where that cannot be read.
  package let at: Date?
  /// The recipient's number, or user id; empty where neither is told.
  package let recipient: String
  /// What was given along when it was sent.
  package let callback: String?
  /// Why it failed; nil where it did not, or nobody says.
  package let errorCode: Int?
  /// The report as JSON.
  package let raw: String
}

/// Anything else: events of templates, numbers and accounts, and shapes nobody knows yet.
package struct ProviderEvent: Sendable, Equatable {
  /// The account, and the number where one is told.
  package let origin: WebhookOrigin
  /// The provider's name for it, such as `message_template_status_update`; `unreadable` for what is no JSON.
  package let field: String
  /// When it happened; nil where that is not told.
  package let at: Date?
  /// A hash by which the same event is known when it comes again.
  package let key: String
  /// What it changes.
  package let effect: Effect
  /// The event's value as JSON; what is no JSON at all, as a JSON string in base64.
  package let raw: String

  /// What an event changes.
  package enum Effect: Sendable, Equatable {
    /// Nothing: it is stored.
    case none
    /// Whether a template may be used.
    case template(name: String, language: String, state: TemplateState)
    /// Whether recipients want marketing.
    case marketing([Preference])
    /// The account may not begin conversations until then.
    case accountRestricted(until: Date)
    /// The account is banned, or no more.
    case accountBanned(Bool)
  }

  /// Whether a template may be used.
  package enum TemplateState: String, Sendable, Codable {
    case approved, paused, disabled, rejected
  }

  /// What a recipient wants.
  package struct Preference: Sendable, Equatable {
    /// The number's digits, or the user id.
    package let recipient: String
    /// True: no more marketing.
    package let optedOut: Bool
    /// When it was said; nil where that is not told.
    package let at: Date?
  }
}
