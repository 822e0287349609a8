internal import BookingCalendar
internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres
internal import Reports
internal import WhatsApp

/// Moves a booking to another time, if that is one the business offers and nobody else has it; otherwise the booking
/// stays as it is and says why.
package struct RescheduleBookingWorker: Worker {
  private let catalog = CatalogStore()
  private let bookings = BookingStore()
  private let notifications: NotificationEnqueuer
  private let now: @Sendable () -> Date

  /// - Parameter messages: what customers are told goes through it.
  /// - Parameter now: the clock that "in the past" is measured by.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    notifications = NotificationEnqueuer(messages: messages)
    self.now = now
  }

  /// Moves a confirmed booking and its claim, or stores why not. A booking that is still validating is waited for. The
  /// command is cancelled where the booking was rejected or cancelled, where a later command was applied, or where for
  /// a day the business has no such booking.
  package func work(_ job: RescheduleBooking, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard let booking = try await bookings.lock([job.booking], in: transaction)[job.booking],
        booking.business == job.business
      else { return context.info.missingBookingOutcome(now: now()) }
      if booking.status == .validating { return .snoozed(for: .seconds(1), reason: "the booking is being decided") }
      guard booking.status == .confirmed else {
        return .cancelled(reason: "the booking is \(booking.status.rawValue)")
      }
      // Commands overtake each other on their way; the one that was given last counts.
      let command = context.info.jobRun.id.uuid
      guard booking.lastCommand < command else { return .cancelled(reason: "a later command was applied before") }
      var moved = try await decide(job, booking, in: transaction)
      moved.lastCommand = command
      try await bookings.update([moved], in: transaction)
      try await recordAndNotify(moved, context.info, in: transaction, &followUps)
      return .completed
    }
  }

  /// Adds what became of the wish to the booking's story and the reports, and has the customer told.
  private func recordAndNotify(
    _ booking: Booking, _ cause: JobInfo, in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    guard let change = booking.lastChange else { return }
    let isMoved = change.outcome == .applied
    let event = BookingEvent(
      isMoved ? .rescheduled : .notRescheduled, of: booking.id, by: cause.jobRun.id.uuid, detail: change.reasons.listed)
    bookings.record([event], in: transaction)
    if isMoved {
      followUps.count(.bookingRescheduled, of: booking.business, at: now())
    } else {
      followUps.count(.bookingNotRescheduled, change.reasons.listed, of: booking.business, at: now())
    }
    let notification = NewMessage(
      isMoved ? .rescheduled : .notRescheduled, of: booking, id: .version7(at: now()), startsAt: change.startsAt,
      alternatives: change.alternatives, now: now())
    try await notifications.send([(notification, cause)], at: now(), in: transaction, followUps: &followUps)
  }

  private func decide(_ job: RescheduleBooking, _ booking: Booking, in transaction: PostgresTransaction) async throws
    -> Booking
  {
    var moved = booking
    moved.professional = job.professional ?? booking.professional
    moved.startsAt = job.startsAt
    func refused(_ reasons: [RejectionReason], _ alternatives: [Booking.Alternative] = []) -> Booking {
      var kept = booking
      kept.lastChange = .init(outcome: .rejected, startsAt: job.startsAt, reasons: reasons, alternatives: alternatives)
      return kept
    }
    switch try await catalog.look(up: [moved.request], in: transaction)[moved.request] ?? .rejected(.unknownBusiness) {
    case .rejected(let reason): return refused([reason])
    case .calendar(let calendar):
      let reasons = calendar.rejections(of: job.startsAt, now: now())
      guard reasons.isEmpty else { return refused(reasons) }
      moved.endsAt = job.startsAt + calendar.service.duration
      let blocked = calendar.service.blocked(from: job.startsAt)
      if try await bookings.moveClaim(of: booking, to: moved.professional, blocked, in: transaction) {
        moved.lastChange = .init(outcome: .applied, startsAt: job.startsAt)
        moved.attendanceConfirmedAt = nil  // the customer spoke of the other time
        return moved
      }
      var finder = AlternativeFinder(catalog: catalog, bookings: bookings, now: now())
      let alternatives = try await finder.alternatives(
        to: moved.request, at: job.startsAt, except: booking.id, in: transaction)
      return refused([.slotTaken], alternatives)
    }
  }
}
