/// Why a slot cannot be booked. The raw values are part of the API.
package enum RejectionReason: String, Sendable, Codable, CaseIterable {
  case unknownBusiness = "unknown_business"
  case unknownService = "unknown_service"
  case unknownProfessional = "unknown_professional"
  /// The professional does not offer the service.
  case serviceNotOffered = "service_not_offered"
  case inThePast = "in_the_past"
  /// Inside the minimum notice.
  case tooSoon = "too_soon"
  case beyondHorizon = "beyond_horizon"
  case dayOff = "day_off"
  case outsideWorkingHours = "outside_working_hours"
  case duringBreak = "during_break"
  case offGrid = "off_grid"
  /// Another booking has claimed it.
  case slotTaken = "slot_taken"
}
