package import Bookings
package import Foundation
package import WhatsApp

/// A message that is to be prepared.
package struct NewMessage: Sendable {
  /// What a notification is about, as stored: ids and times, no personal data.
  package struct Subject: Sendable, Codable, Equatable {
    /// The time it is about: the booking's, or the one asked for.
    package var startsAt: Date
    /// The service booked.
    package var service: UUID
    /// Whose time it is about.
    package var professional: UUID
    /// Free slots offered instead.
    package var alternatives: [Booking.Alternative]
  }

  /// The message's own id: that of its intent, which travels with it.
  package let id: UUID
  /// The business that writes.
  package let business: UUID
  /// The booking it is about; its customer is written to.
  package let booking: UUID
  /// What is told.
  package let notification: NotificationKind
  /// What it is about.
  package let subject: Subject
  /// Past this instant it is not sent any more.
  package let expiresAt: Date

  /// How long a message is worth sending, in seconds, and the least it is given.
  private static let worth: ClosedRange<TimeInterval> = 3_600...86_400

  /// A notification about a booking as it stands; of one that is about a time asked for, `startsAt` and `alternatives` differ
  /// from the booking's. It expires with the time it is about, within a day.
  package init(
    _ notification: NotificationKind, of booking: Booking, id: UUID, startsAt: Date? = nil,
    alternatives: [Booking.Alternative] = [],
    now: Date
  ) {
    self.id = id
    business = booking.business
    self.booking = booking.id
    self.notification = notification
    let startsAt = startsAt ?? booking.startsAt
    subject = Subject(
      startsAt: startsAt, service: booking.service, professional: booking.professional, alternatives: alternatives)
    let latest = min(startsAt, now + Self.worth.upperBound)
    expiresAt = max(now + Self.worth.lowerBound, latest)
  }
}

/// How far a message's sending has come. The raw values are stored.
package enum MessageState: String, Sendable, Codable, CaseIterable {
  /// To be sent.
  case prepared
  /// A process has it in hand, or had.
  case sending
  /// Nobody knows whether it was accepted.
  case inDoubt = "in_doubt"
  /// WhatsApp has accepted it.
  case accepted
  /// WhatsApp has refused it for good.
  case refused
  /// It was overtaken by what happened since, and not sent.
  case superseded
  /// Its time was over before it could be sent.
  case expired
  /// Its time was over, and nobody knows whether it was accepted.
  case unknown

  /// True where nothing more will happen to its sending.
  package var isEnd: Bool { ![.prepared, .sending, .inDoubt].contains(self) }
}

/// A message as it is about to be sent, with all that is known at that moment.
package struct OutgoingMessage: Sendable {
  /// The intent's id.
  package let id: UUID
  /// The business that writes.
  package let business: UUID
  /// The booking it is about.
  package let booking: UUID
  /// What is told.
  package let notification: NotificationKind
  /// How far it has come.
  package let state: MessageState
  /// When it was last handed to WhatsApp; nil: never.
  package let sendingAt: Date?
  /// How often it was sent again after a doubt.
  package let resends: Int
  /// The last refusal's code.
  package let code: Int?
  /// How often that code came in a row.
  package let repeats: Int
  /// True where a Brazilian number is to be tried in its other form.
  package let usesAlternateNumber: Bool
  /// Past this instant it is not sent any more.
  package let expiresAt: Date
  /// True where what it tells is not so any more.
  package let isSuperseded: Bool
  /// The number it is sent from.
  package let phoneNumberID: String
  /// The business account; the number's id stands in where it is not known, nor was learned from a webhook.
  package let account: String
  /// The customer's number as digits. Personal data.
  package let customerNumber: String
  /// The id the provider has for that number; nil where none was told yet.
  package let recipientID: String?
  /// What is to be told. Personal data.
  package let templateValues: NotificationKind.TemplateValues
  /// What stands in the way of messages of this account, expired or not.
  package let suspensions: [Suspension]
  /// Since when the provider's webhooks have told of things at this number that happened after this message was handed
  /// over; nil: they have not yet.
  package let webhooksSince: Date?
  /// When all this was read, by the database's clock, as all other instants here are: a node's own may be wrong.
  package let readAt: Date
}

/// Something that is not sent for the time being.
package struct Suspension: Sendable, Equatable {
  /// What kind of thing.
  package let scope: ErrorPolicy.Scope
  /// Which one.
  package let key: String
  /// Past this instant one message may try again.
  package let until: Date
  /// The provider's code for the reason; 0 where it came as an event.
  package let code: Int

  /// Names a pause.
  package init(scope: ErrorPolicy.Scope, key: String, until: Date, code: Int) {
    self.scope = scope
    self.key = key
    self.until = until
    self.code = code
  }
}
