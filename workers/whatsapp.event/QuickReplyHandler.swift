internal import Bookings
internal import Foundation
internal import Jobs
internal import Messaging
internal import Postgres
internal import WhatsApp

/// Turns customers' pressed buttons into jobs of their bookings.
///
/// A button's payload names the booking, and payloads can be forwarded: the reply counts only where it comes from the
/// booking's customer, which the sender's number shows, in any of its forms, or the message it answers.
struct QuickReplyHandler {
  private let inbound = InboundStore()
  private let bookings = BookingStore()

  func handle(
    _ messages: [WebhookBatch.Item<InboundMessage>], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    let replies = messages.compactMap { item in
      item.received.update.replyPayload.flatMap(QuickReply.init(payload:)).map { (reply: $0, item: item) }
    }
    guard !replies.isEmpty else { return }
    let contacts = try await bookings.contacts(of: replies.map(\.reply.booking), in: transaction)
    let answered = try await inbound.bookings(
      ofMessages: replies.compactMap(\.item.received.update.contextID), in: transaction)
    for (reply, item) in replies {
      let message = item.received.update
      guard let contact = contacts[reply.booking] else { continue }
      if let business = item.received.business, business != contact.business { continue }
      let isCustomers = message.from.map { Self.isSame($0, contact.phone) } ?? false
      let ours = message.contextID.flatMap { answered[$0] }
      let answersOurs = ours?.booking == reply.booking
      guard isCustomers || (answersOurs && message.from == nil) else { continue }
      switch reply {
      // Of a message about another time: the booking was moved since, and the customer has not spoken of the new one.
      case .confirm
      where answersOurs && ours.map { abs($0.startsAt.timeIntervalSince(contact.startsAt)) >= 1 } ?? false:
        continue
      case .confirm(let booking):
        try followUps.enqueue(
          ConfirmAttendance(booking: booking, business: contact.business), from: item.cause, tenant: contact.business)
      case .cancel(let booking):
        try followUps.enqueue(
          CancelBooking(booking: booking, business: contact.business), from: item.cause, tenant: contact.business)
      }
    }
  }

  private static func isSame(_ sender: String, _ phone: String) -> Bool {
    PhoneNumber.identity(of: sender) == PhoneNumber.identity(of: phone.filter { $0 != "+" })
  }
}
