internal import Bookings
internal import Foundation
internal import Messaging
internal import WhatsApp

extension NewMessage {
  /// A notification about a booking.
  ///
  /// - Parameter startsAt: nil: the booking's start. The requested start of a reschedule may differ from it.
  init(
    _ notification: NotificationKind, of booking: Booking, id: UUID, startsAt: Date? = nil,
    alternatives: [Booking.Alternative] = [], now: Date
  ) {
    self.init(
      notification, id: id, business: booking.business, booking: booking.id,
      subject: Subject(
        startsAt: startsAt ?? booking.startsAt, service: booking.service, professional: booking.professional,
        alternatives: alternatives.map { Slot(professional: $0.professional, startsAt: $0.startsAt) }),
      now: now)
  }
}
