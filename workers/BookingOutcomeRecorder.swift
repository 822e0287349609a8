internal import BookingCalendar
internal import Bookings
internal import Foundation
internal import Jobs
internal import Messaging
internal import Postgres
internal import Reports
internal import WhatsApp

/// What was decided about a booking.
struct BookingOutcome {
  let type: BookingEvent.EventType
  let booking: Booking
  /// The job that decided it.
  let cause: JobInfo
  /// Why it was rejected, or not rescheduled; empty otherwise.
  var reasons: [RejectionReason] = []
  /// The requested start of a reschedule; nil: the booking's.
  var startsAt: Date?
  /// Free slots for the customer to choose from.
  var alternatives: [Booking.Alternative] = []

  fileprivate var metric: MetricName? {
    switch type {
    case .validating: nil
    case .confirmed: .bookingConfirmed
    case .rejected: .bookingRejected
    case .cancelled: .bookingCancelled
    case .rescheduled: .bookingRescheduled
    case .notRescheduled: .bookingNotRescheduled
    case .attendanceConfirmed: .bookingAttendanceConfirmed
    }
  }

  fileprivate var notification: NotificationKind? {
    switch type {
    case .validating, .attendanceConfirmed: nil
    case .confirmed: .confirmed
    case .rejected: .rejected
    case .cancelled: .cancelled
    case .rescheduled: .rescheduled
    case .notRescheduled: .notRescheduled
    }
  }
}

/// Adds decisions to the bookings' timelines and the reports, and enqueues notifications to the customers.
struct BookingOutcomeRecorder {
  private let bookings = BookingStore()
  private let notifications: NotificationEnqueuer
  private let now: @Sendable () -> Date

  init(messages: MessageStore, now: @escaping @Sendable () -> Date) {
    notifications = NotificationEnqueuer(messages: messages)
    self.now = now
  }

  func record(
    _ outcomes: [BookingOutcome], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    bookings.record(
      outcomes.map { outcome in
        BookingEvent(
          outcome.type, of: outcome.booking.id, by: outcome.cause.jobRun.id.uuid, detail: outcome.reasons.listed)
      }, in: transaction)
    var messages: [NotificationEnqueuer.Item] = []
    for outcome in outcomes {
      if let metric = outcome.metric {
        followUps.count(metric, outcome.reasons.listed, of: outcome.booking.business, at: now())
      }
      // A business that does not exist sends no messages.
      guard let notification = outcome.notification, !outcome.reasons.contains(.unknownBusiness) else { continue }
      let message = NewMessage(
        notification, of: outcome.booking, id: .version7(at: now()), startsAt: outcome.startsAt,
        alternatives: outcome.alternatives, now: now())
      messages.append((message, outcome.cause))
    }
    try await notifications.enqueue(messages, at: now(), in: transaction, followUps: &followUps)
  }
}
