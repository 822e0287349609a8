internal import Bookings
internal import Foundation
internal import Jobs
internal import Messaging
internal import Postgres
internal import WhatsApp

/// Enqueues jobs for customers' quick replies.
///
/// The payload of a button names the booking, and payloads can be forwarded. So a reply counts only if the sender has
/// the number of the booking's customer (or its alternate number), or hides the number and answers a message about the
/// booking.
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
      let isFromCustomer = message.from.map { Self.isSame($0, contact.phone) } ?? false
      let ours = message.contextID.flatMap { answered[$0] }
      let answersBooking = ours?.booking == reply.booking
      guard isFromCustomer || (answersBooking && message.from == nil) else { continue }
      switch reply {
      // The answered message is about another time: the booking was moved since.
      case .confirm
      where answersBooking && ours.map { abs($0.startsAt.timeIntervalSince(contact.startsAt)) >= 1 } ?? false:
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
    PhoneNumber.identity(of: sender) == PhoneNumber.identity(of: PhoneNumber.digits(e164: phone))
  }
}
