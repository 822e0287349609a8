internal import Bookings
internal import Foundation
internal import Jobs
internal import Messaging
internal import Postgres
internal import Reports
internal import WhatsApp

/// Handles messages that failed after they were accepted: most refusals come that way.
struct DeliveryFailureHandler {
  let messages: MessageStore
  let bookings = BookingStore()
  let suspensions: SuspensionStore
  let now: @Sendable () -> Date

  func handle(
    _ code: Int, _ reported: InboundStore.ReportedMessage, _ item: WebhookBatch.Item<StatusReport>,
    in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    switch CloudError(code: code, httpStatus: 400).policy() {
    case .undeliverable: try await enqueueAlternateNumber(reported, item.cause, in: transaction, &followUps)
    case .suspend(let scope, let probeAfter):
      let origin = item.received.update.origin
      let key: String? =
        switch scope {
        case .number: origin.phoneNumberID
        case .account: origin.account ?? origin.phoneNumberID
        case .message, .pair, .template: nil  // a report does not name the template
        }
      guard let key, code != 0 else { return }
      let until = try await suspensions.now(in: transaction).addingTimeInterval(probeAfter / .seconds(1))
      try await suspensions.put(Suspension(scope: scope, key: key, until: until, code: code), in: transaction)
    default: return
    }
  }

  /// Tries the alternate number of a Brazilian number once, with a new message, because this one was accepted.
  private func enqueueAlternateNumber(
    _ reported: InboundStore.ReportedMessage, _ cause: JobInfo, in transaction: PostgresTransaction,
    _ followUps: inout FollowUps
  ) async throws {
    guard let contact = try await bookings.contacts(of: [reported.booking], in: transaction)[reported.booking] else {
      return
    }
    let id = UUID.version7(at: now())
    let number = try await messages.prepareAlternateNumber(
      of: reported.message, as: id, customerNumber: PhoneNumber.digits(e164: contact.phone), in: transaction)
    guard let number else { return }
    try followUps.enqueue(SendTemplate(message: id, number: number), from: cause, tenant: reported.business)
    followUps.count(
      .messagePrepared, "\(reported.notification.rawValue).alternate_number", of: reported.business, at: now())
  }
}
