internal import Bookings
package import Foundation
package import Jobs
package import Messaging
package import Postgres

/// Cancels bookings and releases their time; many in one transaction, so that a flood of cancellations costs little.
package struct CancelBookingWorker: BatchWorker {
  private let bookings = BookingStore()
  private let recorder: BookingOutcomeRecorder
  private let now: @Sendable () -> Date

  /// - Parameter messages: for notifications.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    recorder = BookingOutcomeRecorder(messages: messages, now: now)
    self.now = now
  }

  /// Cancels the bookings that are validating or confirmed. A command is cancelled if its booking was rejected or
  /// cancelled before, or if the business has no such booking: see ``CommandPollPolicy``.
  package func work(
    _ batch: [BatchItem<CancelBooking>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    var stored = try await bookings.lock(batch.map(\.job.booking), in: transaction)
    var cancelled: [BookingOutcome] = []
    let outcomes = batch.map { item -> JobOutcome in
      let job = item.job
      guard var booking = stored[job.booking], booking.business == job.business else {
        return item.info.missingBookingOutcome(job.booking, now: now())
      }
      guard booking.status == .validating || booking.status == .confirmed else {
        return .cancelled(reason: "the booking was \(booking.status.rawValue) before")
      }
      booking.status = .cancelled
      booking.lastCommand = max(item.info.jobRun.id.uuid, booking.lastCommand)
      stored[booking.id] = booking
      cancelled.append(BookingOutcome(type: .cancelled, booking: booking, cause: item.info))
      return .completed
    }
    guard !cancelled.isEmpty else { return outcomes }
    try await bookings.releaseClaims(of: cancelled.map(\.booking.id), in: transaction)
    try await bookings.update(cancelled.map(\.booking), in: transaction)
    try await recorder.record(cancelled, in: transaction, &followUps)
    return outcomes
  }
}
