package import Foundation
package import WhatsApp

/// A message that is to be prepared: the intent, which is stored before anything is sent.
package struct NewMessage: Sendable {
  /// A free time offered instead.
  package struct Slot: Sendable, Codable, Equatable {
    package let professional: UUID
    package let startsAt: Date

    package init(professional: UUID, startsAt: Date) {
      self.professional = professional
      self.startsAt = startsAt
    }
  }

  /// What a notification is about, as stored: ids and times, no personal data.
  package struct Subject: Sendable, Codable, Equatable {
    /// The booking's time, or the requested one.
    package var startsAt: Date
    package var service: UUID
    package var professional: UUID
    package var alternatives: [Slot]

    package init(startsAt: Date, service: UUID, professional: UUID, alternatives: [Slot]) {
      self.startsAt = startsAt
      self.service = service
      self.professional = professional
      self.alternatives = alternatives
    }
  }

  /// Travels with the message, and comes back in its status reports.
  package let id: UUID
  package let business: UUID
  /// The message goes to the customer of this booking.
  package let booking: UUID
  package let notification: NotificationKind
  package let subject: Subject
  /// After this instant it is not sent.
  package let expiresAt: Date

  /// The shortest and the longest time in which a message is sent, in seconds.
  private static let lifetime: ClosedRange<TimeInterval> = 3_600...86_400

  /// The message expires when the time it is about begins, but not before an hour and not after a day.
  package init(
    _ notification: NotificationKind, id: UUID, business: UUID, booking: UUID, subject: Subject, now: Date
  ) {
    self.id = id
    self.business = business
    self.booking = booking
    self.notification = notification
    self.subject = subject
    let latest = min(subject.startsAt, now + Self.lifetime.upperBound)
    expiresAt = max(now + Self.lifetime.lowerBound, latest)
  }
}
