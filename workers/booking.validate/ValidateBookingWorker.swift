internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres
internal import Reports
internal import WhatsApp

/// Decides whether a slot is one the business offers, stores the booking, and hands it on to be claimed.
package struct ValidateBookingWorker: BatchWorker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let notifications: NotificationEnqueuer
  private let now: @Sendable () -> Date

  /// - Parameter messages: what customers are told of a rejection goes through it.
  /// - Parameter now: the clock that "in the past" is measured by.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    notifications = NotificationEnqueuer(messages: messages)
    self.now = now
  }

  /// Stores a booking for each job, validating or rejected with the reasons, and enqueues ``ResolveBooking`` for the
  /// former. A job whose booking is stored already is a repeat, or another request under the same idempotency key: it
  /// is cancelled.
  package func work(
    _ batch: [BatchItem<ValidateBooking>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let requests = Set(batch.map(\.job.request))
    let lookups = try await catalog.look(up: requests, in: transaction)
    // Of two jobs for one booking in a batch (a repeat with the same idempotency key) the first one stores it.
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
          ? .cancelled(reason: "a repeat of a request that was taken already")
          : .cancelled(reason: "its idempotency key was used before with a different request")
      }
      stored.insert(id)
      if decided[id]?.status == .validating { try followUps.enqueue(ResolveBooking(booking: id), from: item.info) }
      return .completed
    }
    let fresh = batch.compactMap { item in
      stored.remove(item.job.booking).flatMap { decided[$0] }.map { ($0, item.info) }
    }
    try await recordAndNotify(fresh, in: transaction, &followUps)
    return outcomes
  }

  /// Adds the decisions to the bookings' stories and the reports, and has customers told that were turned down.
  private func recordAndNotify(
    _ decided: [(booking: Booking, cause: JobInfo)], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    var rejections: [NotificationEnqueuer.Item] = []
    let events = decided.map { booking, cause in
      BookingEvent(
        booking.status == .rejected ? .rejected : .validating, of: booking.id, by: cause.jobRun.id.uuid,
        detail: booking.reasons.listed)
    }
    for (booking, cause) in decided where booking.status == .rejected {
      followUps.count(.bookingRejected, booking.reasons.listed, of: booking.business, at: now())
      rejections.append((NewMessage(.rejected, of: booking, id: .version7(at: now()), now: now()), cause))
    }
    bookings.record(events, in: transaction)
    try await notifications.send(rejections, at: now(), in: transaction, followUps: &followUps)
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

extension [RejectionReason] {
  /// The reasons in one line, for stories.
  var listed: String { map(\.rawValue).joined(separator: "+") }
}

extension ValidateBooking {
  fileprivate var request: CatalogStore.Request {
    .init(business: business, service: service, professional: professional)
  }
}
