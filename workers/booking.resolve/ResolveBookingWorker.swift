internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres
internal import Reports
internal import WhatsApp

/// Claims the time of validated bookings: the exclusion constraint decides who gets it, the others are told of free
/// slots instead.
package struct ResolveBookingWorker: BatchWorker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let notifications: NotificationEnqueuer
  private let now: @Sendable () -> Date

  /// - Parameter messages: what customers are told goes through it.
  /// - Parameter now: the clock that alternatives are offered by.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    notifications = NotificationEnqueuer(messages: messages)
    self.now = now
  }

  /// Confirms or rejects the batch's validating bookings with one statement for all claims; those who lose get the
  /// reason `slot_taken`. Jobs whose booking does not exist or was decided before are cancelled.
  package func work(
    _ batch: [BatchItem<ResolveBooking>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let stored = try await bookings.lock(batch.map(\.job.booking), in: transaction)
    let open = batch.compactMap { stored[$0.job.booking] }.filter { $0.status == .validating }
    let lookups = open.isEmpty ? [:] : try await catalog.look(up: Set(open.map(\.request)), in: transaction)
    var claims: [(booking: Booking, blocked: TimeRange)] = []
    var decided: [Booking] = []
    for var booking in open {
      switch lookups[booking.request] {
      case .calendar(let calendar): claims.append((booking, calendar.service.blocked(from: booking.startsAt)))
      case .rejected(let reason):  // the catalog changed since the booking was validated
        booking.status = .rejected
        booking.reasons = [reason]
        decided.append(booking)
      case nil: continue
      }
    }
    let winners = claims.isEmpty ? [] : try await bookings.claim(claims, in: transaction)
    var finder = AlternativeFinder(catalog: catalog, bookings: bookings, now: now())
    for (var booking, _) in claims {
      if winners.contains(booking.id) {
        booking.status = .confirmed
      } else {
        booking.status = .rejected
        booking.reasons = [.slotTaken]
        booking.alternatives = try await finder.alternatives(to: booking.request, at: booking.startsAt, in: transaction)
      }
      decided.append(booking)
    }
    try await bookings.update(decided, in: transaction)
    try await recordAndNotify(decided, batch, in: transaction, &followUps)
    return batch.map { item in
      switch stored[item.job.booking]?.status {
      case .validating: .completed
      case nil: .cancelled(reason: "there is no such booking")
      default: .cancelled(reason: "the booking was decided before")
      }
    }
  }

  /// Adds the decisions to the bookings' stories and the reports, and has the customers told.
  private func recordAndNotify(
    _ decided: [Booking], _ batch: [BatchItem<ResolveBooking>], in transaction: PostgresTransaction,
    _ followUps: inout FollowUps
  ) async throws {
    let causes = Dictionary(batch.map { ($0.job.booking, $0.info) }) { first, _ in first }
    var messages: [NotificationEnqueuer.Item] = []
    var events: [BookingEvent] = []
    for booking in decided {
      guard let cause = causes[booking.id] else { continue }
      let isConfirmed = booking.status == .confirmed
      events.append(
        BookingEvent(
          isConfirmed ? .confirmed : .rejected, of: booking.id, by: cause.jobRun.id.uuid, detail: booking.reasons.listed
        ))
      if isConfirmed {
        followUps.count(.bookingConfirmed, of: booking.business, at: now())
      } else {
        followUps.count(.bookingRejected, booking.reasons.listed, of: booking.business, at: now())
      }
      messages.append(
        (
          NewMessage(
            isConfirmed ? .confirmed : .rejected, of: booking, id: .version7(at: now()),
            alternatives: booking.alternatives, now: now()), cause
        ))
    }
    bookings.record(events, in: transaction)
    try await notifications.send(messages, at: now(), in: transaction, followUps: &followUps)
  }
}
