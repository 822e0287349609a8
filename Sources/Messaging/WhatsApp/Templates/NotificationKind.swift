/// What customers are told about their bookings. The raw values are stored.
package enum NotificationKind: String, Sendable, Codable, CaseIterable {
  /// Has buttons to confirm attendance and to cancel.
  case confirmed
  /// Offers free times, if there are any.
  case rejected
  case cancelled
  /// Has buttons to confirm attendance and to cancel.
  case rescheduled
  /// The booking could not be moved and stays as it was. Offers free times, if there are any.
  case notRescheduled = "not_rescheduled"
}
