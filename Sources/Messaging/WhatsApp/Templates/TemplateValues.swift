package import Foundation

extension NotificationKind {
  /// What the places of a notification's template are filled with. Personal data.
  package struct TemplateValues: Sendable, Equatable {
    package var customer: String
    package var business: String
    /// Nil: the name is unknown.
    package var service: String?
    /// Nil: the name is unknown.
    package var professional: String?
    /// The booking's time, or the requested one.
    package var startsAt: Date
    /// Free times offered instead.
    package var alternatives: [Alternative]
    /// Times are written in this zone: the business'.
    package var timeZone: TimeZone

    package init(
      customer: String, business: String, service: String?, professional: String?, startsAt: Date,
      alternatives: [Alternative] = [], timeZone: TimeZone
    ) {
      self.customer = customer
      self.business = business
      self.service = service
      self.professional = professional
      self.startsAt = startsAt
      self.alternatives = alternatives
      self.timeZone = timeZone
    }
  }

  /// A free time.
  package struct Alternative: Sendable, Equatable {
    package let startsAt: Date
    /// Nil: the requested professional.
    package let professional: String?

    package init(startsAt: Date, professional: String?) {
      self.startsAt = startsAt
      self.professional = professional
    }
  }
}
