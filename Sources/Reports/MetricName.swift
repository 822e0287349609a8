/// What is counted. The raw values are stored and part of the API: names may be added, but never change their meaning.
package enum MetricName: String, Sendable, CaseIterable, Codable {
  /// Dated by the time of the decision.
  case bookingConfirmed = "booking.confirmed"
  /// Detail: the reasons.
  case bookingRejected = "booking.rejected"
  case bookingCancelled = "booking.cancelled"
  case bookingRescheduled = "booking.rescheduled"
  /// Detail: the reasons.
  case bookingNotRescheduled = "booking.not_rescheduled"
  case bookingAttendanceConfirmed = "booking.attendance_confirmed"
  /// Messages to be sent. Detail: the notification.
  case messagePrepared = "message.prepared"
  /// Detail: the notification.
  case messageAccepted = "message.accepted"
  /// Messages that will not be sent. Detail: their state.
  case messageNotSent = "message.not_sent"
  /// Messages from customers, dated by the time they were sent. Detail: the type.
  case messageReceived = "message.received"
  /// Status reports, dated by the provider. Detail: the status.
  case messageStatus = "message.status"
  /// Management events of the provider. Detail: the field.
  case providerEvent = "provider.event"
  /// Detail: the kind.
  case jobCompleted = "job.completed"
  /// Detail: the kind.
  case jobCancelled = "job.cancelled"
}
