internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres

/// Moves a booking to another time if the business offers it and it is free. Otherwise the booking stays as it is, and
/// stores the reasons.
package struct RescheduleBookingWorker: Worker {
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

  /// Moves a confirmed booking and its claim, or stores why not; snoozes while the booking is validating, for a day at
  /// most. The command is cancelled if the booking was rejected or cancelled, if a later command was applied, or if the
  /// business has no such booking: see ``CommandPollPolicy``.
  package func work(_ job: RescheduleBooking, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard let booking = try await bookings.lock([job.booking], in: transaction)[job.booking],
        booking.business == job.business
      else { return context.info.missingBookingOutcome(job.booking, now: now()) }
      if booking.status == .validating { return context.info.undecidedBookingOutcome(now: now()) }
      guard booking.status == .confirmed else {
        return .cancelled(reason: "the booking is \(booking.status.rawValue)")
      }
      // The queues may deliver commands out of order. Ids are ordered by time: a command older than the last applied
      // one is cancelled.
      let command = context.info.jobRun.id.uuid
      guard booking.lastCommand < command else { return .cancelled(reason: "a later command was applied before") }
      let (result, change) = try await decide(job, booking, in: transaction)
      var decided = result
      decided.lastChange = change
      decided.lastCommand = command
      try await bookings.update([decided], in: transaction)
      let outcome = BookingOutcome(
        type: change.outcome == .applied ? .rescheduled : .notRescheduled, booking: decided, cause: context.info,
        reasons: change.reasons, startsAt: change.startsAt, alternatives: change.alternatives)
      try await recorder.record([outcome], in: transaction, &followUps)
      return .completed
    }
  }

  private func decide(
    _ job: RescheduleBooking, _ booking: Booking, in transaction: PostgresTransaction
  ) async throws -> (Booking, Booking.Change) {
    var moved = booking
    moved.professional = job.professional ?? booking.professional
    moved.startsAt = job.startsAt
    func rejection(
      _ reasons: [RejectionReason], _ alternatives: [Booking.Alternative] = []
    ) -> (Booking, Booking.Change) {
      (booking, .init(outcome: .rejected, startsAt: job.startsAt, reasons: reasons, alternatives: alternatives))
    }
    switch try await catalog.lookUp([moved.request], in: transaction)[moved.request] ?? .rejected(.unknownBusiness) {
    case .rejected(let reason): return rejection([reason])
    case .calendar(let calendar):
      let reasons = calendar.rejections(of: job.startsAt, now: now())
      guard reasons.isEmpty else { return rejection(reasons) }
      moved.endsAt = job.startsAt + calendar.service.duration
      let blocked = calendar.service.blocked(from: job.startsAt)
      if try await bookings.moveClaim(of: booking, to: moved.professional, blocked, in: transaction) {
        moved.attendanceConfirmedAt = nil  // the customer confirmed the previous time
        return (moved, .init(outcome: .applied, startsAt: job.startsAt))
      }
      var finder = AlternativeFinder(catalog: catalog, bookings: bookings, now: now())
      let alternatives = try await finder.alternatives(
        to: moved.request, at: job.startsAt, except: booking.id, in: transaction)
      return rejection([.slotTaken], alternatives)
    }
  }
}
