public import Foundation
public import Jobs
internal import Reporting
internal import Scheduling
public import Stores
internal import WhatsApp

/// Claims the time of validated bookings: the exclusion constraint decides who gets it, the others are told of free
/// slots instead.
public struct ResolveBookingWorker: BatchWorker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let notices: CustomerNotices
  private let now: @Sendable () -> Date

  /// - Parameter messages: what customers are told goes through it.
  /// - Parameter now: the clock that alternatives are offered by.
  public init(messages: OutboundStore = OutboundStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    notices = CustomerNotices(messages: messages)
    self.now = now
  }

  /// Confirms or rejects the batch's validating bookings with one statement for all claims; those who lose get the
  /// reason `slot_taken`. Jobs whose booking does not exist or was decided before are discarded.
  public func work(
    _ batch: [BatchItem<ResolveBooking>], in transaction: StoreTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let stored = try await bookings.lock(batch.map(\.job.booking), in: transaction)
    let open = batch.compactMap { stored[$0.job.booking] }.filter { $0.status == .validating }
    let answers = open.isEmpty ? [:] : try await catalog.look(up: Set(open.map(\.request)), in: transaction)
    var claims: [(booking: Booking, blocked: TimeRange)] = []
    var decided: [Booking] = []
    for var booking in open {
      switch answers[booking.request] {
      case .offer(let offer): claims.append((booking, offer.service.blocked(from: booking.startsAt)))
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
    try await tell(decided, batch, in: transaction, &followUps)
    return batch.map { item in
      switch stored[item.job.booking]?.status {
      case .validating: .completed
      case nil: .discarded(reason: "there is no such booking")
      default: .discarded(reason: "the booking was decided before")
      }
    }
  }

  /// Adds the decisions to the bookings' stories and the reports, and has the customers told.
  private func tell(
    _ decided: [Booking], _ batch: [BatchItem<ResolveBooking>], in transaction: StoreTransaction,
    _ followUps: inout FollowUps
  ) async throws {
    let causes = Dictionary(batch.map { ($0.job.booking, $0.info) }) { first, _ in first }
    var messages: [CustomerNotices.Item] = []
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
    bookings.note(events, in: transaction)
    try await notices.send(messages, at: now(), in: transaction, followUps: &followUps)
  }
}
