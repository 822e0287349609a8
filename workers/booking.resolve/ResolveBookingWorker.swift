internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres

/// Claims the time of validated bookings. The exclusion constraint decides which ones get it; the others are rejected
/// with free slots as alternatives.
package struct ResolveBookingWorker: BatchWorker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let recorder: BookingOutcomeRecorder
  private let now: @Sendable () -> Date

  /// - Parameter messages: for notifications.
  /// - Parameter now: alternatives begin after it.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    recorder = BookingOutcomeRecorder(messages: messages, now: now)
    self.now = now
  }

  /// Confirms or rejects the validating bookings of the batch, with one statement for all claims. Jobs whose booking
  /// does not exist, or was decided before, are cancelled.
  package func work(
    _ batch: [BatchItem<ResolveBooking>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let stored = try await bookings.lock(batch.map(\.job.booking), in: transaction)
    let open = batch.compactMap { stored[$0.job.booking] }.filter { $0.status == .validating }
    let decided = try await decide(open, in: transaction)
    try await bookings.update(decided, in: transaction)
    let causes = Dictionary(batch.map { ($0.job.booking, $0.info) }) { first, _ in first }
    try await recorder.record(
      decided.compactMap { booking in
        causes[booking.id].map { cause in
          BookingOutcome(
            type: booking.status == .confirmed ? .confirmed : .rejected, booking: booking, cause: cause,
            reasons: booking.reasons, alternatives: booking.alternatives)
        }
      }, in: transaction, &followUps)
    return batch.map { item in
      switch stored[item.job.booking]?.status {
      case .validating: .completed
      case nil: .cancelled(reason: "there is no such booking")
      default: .cancelled(reason: "the booking was decided before")
      }
    }
  }

  private func decide(_ open: [Booking], in transaction: PostgresTransaction) async throws -> [Booking] {
    let lookups = open.isEmpty ? [:] : try await catalog.lookUp(Set(open.map(\.request)), in: transaction)
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
    return decided
  }
}
