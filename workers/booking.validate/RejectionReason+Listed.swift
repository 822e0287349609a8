internal import BookingCalendar

extension [RejectionReason] {
  /// In one line, for timelines and reports.
  var listed: String { map(\.rawValue).joined(separator: "+") }
}
