package import Foundation

/// One item of a webhook.
package enum WebhookUpdate: Sendable, Equatable {
  case message(InboundMessage)
  case status(StatusReport)
  case event(ProviderEvent)
}

/// The sender or receiver of an update at the provider; nil: not stated.
package struct WebhookOrigin: Sendable, Hashable {
  /// The business account (`entry.id`).
  package var account: String?
  /// The id of the number that received or sent it.
  package var phoneNumberID: String?
  /// The number's digits; some management events have nothing else.
  package var displayNumber: String?

  package init(account: String? = nil, phoneNumberID: String? = nil, displayNumber: String? = nil) {
    self.account = account
    self.phoneNumberID = phoneNumberID
    self.displayNumber = displayNumber
  }
}

/// A message from a customer. Personal data.
package struct InboundMessage: Sendable, Equatable {
  package let origin: WebhookOrigin
  /// The provider's id of the message.
  package let wamid: String
  /// The sender's number as digits; nil: the user hides it.
  package let from: String?
  /// The sender's business-scoped user id; nil: not stated.
  package let userID: String?
  /// The sender's name in WhatsApp; nil: not stated.
  package let profileName: String?
  /// When it was sent; nil: unreadable.
  package let at: Date?
  /// Such as `text`, `image` or `button`; unknown ones are possible.
  package let type: String
  /// The message it answers; nil: none.
  package let contextID: String?
  /// The payload of a pressed button or a chosen row; nil: neither.
  package let replyPayload: String?
  package let raw: String
}

/// A report on a sent message.
package struct StatusReport: Sendable, Equatable {
  package let origin: WebhookOrigin
  package let wamid: String
  package let status: DeliveryStatus
  /// Nil: unreadable.
  package let at: Date?
  /// The recipient's number or user id; empty: neither is stated.
  package let recipient: String
  /// The callback value of the send; nil: none.
  package let callback: String?
  /// Nil: it did not fail, or no code is stated.
  package let errorCode: Int?
  package let raw: String
}

/// Anything else: events of templates, numbers and accounts, and unknown shapes.
package struct ProviderEvent: Sendable, Equatable {
  package let origin: WebhookOrigin
  /// The provider's name for it, such as `message_template_status_update`; `unreadable`: not JSON.
  package let field: String
  /// Nil: not stated.
  package let at: Date?
  /// A hash that is the same when the event comes again.
  package let key: String
  package let effect: Effect
  /// The event's value as JSON; what is not JSON, as a JSON string in base64.
  package let raw: String

  /// What an event changes.
  package enum Effect: Sendable, Equatable {
    /// It is only stored.
    case none
    case template(name: String, language: String, state: TemplateState)
    case marketing([Preference])
    /// The account may not start conversations until then.
    case accountRestricted(until: Date)
    /// False: a ban has ended.
    case accountBanned(Bool)
  }

  /// Whether a template may be used.
  package enum TemplateState: String, Sendable, Codable {
    case approved, paused, disabled, rejected
  }

  /// A recipient's choice about marketing messages.
  package struct Preference: Sendable, Equatable {
    /// The number's digits, or the user id.
    package let recipient: String
    package let optedOut: Bool
    /// Nil: not stated.
    package let at: Date?
  }
}
