/// What is counted, by the names that reports and tables know it by. They may grow, and never change their meaning.
package enum MetricName: String, Sendable, CaseIterable, Codable {
  /// Bookings that got their time; by the time of the decision.
  case bookingConfirmed = "booking.confirmed"
  /// Bookings that were turned down, by reason.
  case bookingRejected = "booking.rejected"
  /// Bookings that were given up.
  case bookingCancelled = "booking.cancelled"
  /// Bookings that were moved.
  case bookingRescheduled = "booking.rescheduled"
  /// Moves that were turned down, by reason.
  case bookingNotRescheduled = "booking.not_rescheduled"
  /// Customers who said that they will come.
  case bookingAttendanceConfirmed = "booking.attendance_confirmed"
  /// Messages that are to be sent, by notification.
  case messagePrepared = "message.prepared"
  /// Messages that WhatsApp accepted, by notification.
  case messageAccepted = "message.accepted"
  /// Messages that will never be sent, by why.
  case messageNotSent = "message.not_sent"
  /// Messages from customers, by type; by the time they were sent.
  case messageReceived = "message.received"
  /// Status reports, by status; by the time the provider gives.
  case messageStatus = "message.status"
  /// Events of the provider's management, by field.
  case providerEvent = "provider.event"
  /// Jobs that were done, by kind.
  case jobCompleted = "job.done"
  /// Jobs that were discarded, by kind.
  case jobCancelled = "job.discarded"
}
