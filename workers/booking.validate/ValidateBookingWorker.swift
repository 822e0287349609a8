internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres

/// Decides whether the business offers a slot, stores the booking, and enqueues ``ResolveBooking``, which claims it.
package struct ValidateBookingWorker: BatchWorker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let recorder: BookingOutcomeRecorder
  private let now: @Sendable () -> Date

  /// - Parameter messages: for notifications.
  /// - Parameter now: decides which times are in the past.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    recorder = BookingOutcomeRecorder(messages: messages, now: now)
    self.now = now
  }

  /// Stores a booking for each job, validating or rejected. A job whose booking is stored already is a repeat, or
  /// another request with the same idempotency key: it is cancelled.
  package func work(
    _ batch: [BatchItem<ValidateBooking>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let requests = Set(batch.map(\.job.request))
    let lookups = try await catalog.lookUp(requests, in: transaction)
    // If a batch has two jobs for one booking (a repeat with the same idempotency key), the first one stores it.
    var decided: [UUID: Booking] = [:]
    for item in batch where decided[item.job.booking] == nil {
      decided[item.job.booking] = decide(item, lookups[item.job.request] ?? .rejected(.unknownBusiness))
    }
    let existing = try await bookings.insert(Array(decided.values), in: transaction)
    var stored = Set<UUID>()
    let outcomes = try batch.map { item -> JobOutcome in
      let id = item.job.booking
      if let fingerprint = existing[id] ?? (stored.contains(id) ? decided[id]?.fingerprint : nil) {
        return fingerprint == item.job.fingerprint
          ? .cancelled(reason: "a repeat of a request that was accepted before")
          : .cancelled(reason: "its idempotency key was used before with a different request")
      }
      stored.insert(id)
      if decided[id]?.status == .validating { try followUps.enqueue(ResolveBooking(booking: id), from: item.info) }
      return .completed
    }
    let new = batch.compactMap { item in
      stored.remove(item.job.booking).flatMap { decided[$0] }.map { booking in
        BookingOutcome(
          type: booking.status == .rejected ? .rejected : .validating, booking: booking, cause: item.info,
          reasons: booking.reasons)
      }
    }
    try await recorder.record(new, in: transaction, &followUps)
    return outcomes
  }

  private func decide(_ item: BatchItem<ValidateBooking>, _ lookup: CatalogStore.Lookup) -> Booking {
    let job = item.job
    var booking = Booking(
      id: job.booking, business: job.business, service: job.service, professional: job.professional,
      customer: job.customer,
      startsAt: job.startsAt, endsAt: nil, status: .validating, fingerprint: job.fingerprint,
      lastCommand: Booking.noCommand)
    switch lookup {
    case .rejected(let reason): booking.reasons = [reason]
    case .calendar(let calendar):
      booking.endsAt = job.startsAt + calendar.service.duration
      booking.reasons = calendar.rejections(of: job.startsAt, now: now())
    }
    if !booking.reasons.isEmpty { booking.status = .rejected }
    return booking
  }
}

extension ValidateBooking {
  fileprivate var request: CatalogStore.Request {
    .init(business: business, service: service, professional: professional)
  }
}
