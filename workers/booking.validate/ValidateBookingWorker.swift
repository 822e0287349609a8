public import Foundation
public import Jobs
internal import Scheduling
public import Stores

/// Decides whether a slot is one the business offers, stores the booking, and hands it on to be claimed.
public struct ValidateBookingWorker: BatchWorker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let now: @Sendable () -> Date

  /// `now` is the clock that "in the past" is measured by.
  public init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

  /// Stores a booking for each job, validating or rejected with the reasons, and enqueues ``ResolveBooking`` for the
  /// former. A job whose booking is stored already is a repeat, or another request under the same idempotency key: it
  /// is discarded.
  public func work(
    _ batch: [BatchItem<ValidateBooking>], in transaction: StoreTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let requests = Set(batch.map(\.job.request))
    let answers = try await catalog.look(up: requests, in: transaction)
    // Of two jobs for one booking in a batch (a repeat with the same idempotency key) the first one stores it.
    var decided: [UUID: Booking] = [:]
    for item in batch where decided[item.job.booking] == nil {
      decided[item.job.booking] = decide(item, answers[item.job.request] ?? .rejected(.unknownBusiness))
    }
    let existing = try await bookings.insert(Array(decided.values), in: transaction)
    var stored = Set<UUID>()
    return try batch.map { item in
      let id = item.job.booking
      if let fingerprint = existing[id] ?? (stored.contains(id) ? decided[id]?.fingerprint : nil) {
        return fingerprint == item.job.fingerprint
          ? .discarded(reason: "a repeat of a request that was taken already")
          : .discarded(reason: "its idempotency key was used before with a different request")
      }
      stored.insert(id)
      if decided[id]?.status == .validating { try followUps.enqueue(ResolveBooking(booking: id), from: item.info) }
      return .completed
    }
  }

  private func decide(_ item: BatchItem<ValidateBooking>, _ answer: CatalogStore.Answer) -> Booking {
    let job = item.job
    var booking = Booking(
      id: job.booking, business: job.business, service: job.service, professional: job.professional,
      customer: job.customer,
      startsAt: job.startsAt, endsAt: nil, status: .validating, fingerprint: job.fingerprint,
      lastCommand: item.info.jobRun.id.uuid)
    switch answer {
    case .rejected(let reason): booking.reasons = [reason]
    case .offer(let offer):
      booking.endsAt = job.startsAt + offer.service.duration
      booking.reasons = offer.rejections(of: job.startsAt, now: now())
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
