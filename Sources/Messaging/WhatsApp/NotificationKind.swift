package import Foundation

/// What customers are told about their bookings, and the template that tells it.
package enum NotificationKind: String, Sendable, Codable, CaseIterable {
  /// The booking is confirmed; with buttons to confirm that one will come, or to cancel.
  case confirmed
  /// It could not be had; with free times where there are any.
  case rejected
  /// It was cancelled.
  case cancelled
  /// It was moved to another time.
  case rescheduled
  /// It could not be moved and stays as it was; with free times where there are any.
  case notRescheduled = "not_rescheduled"

  /// What a notification tells.
  package struct TemplateValues: Sendable, Equatable {
    /// The customer's name.
    package var customer: String
    /// The business' name.
    package var business: String
    /// The service's name.
    package var service: String
    /// The professional's name.
    package var professional: String
    /// The time it is about: the booking's, or the one asked for.
    package var startsAt: Date
    /// Free times offered instead, each with the name of another professional where it is another one's.
    package var alternatives: [Alternative]
    /// The business' time zone, in which times are written.
    package var timeZone: TimeZone

    /// Puts the templateValues together.
    package init(
      customer: String, business: String, service: String, professional: String, startsAt: Date,
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
    /// When it starts.
    package let startsAt: Date
    /// Whose it is, where it is not the professional's who was asked for.
    package let professional: String?

    /// Names a free time.
    package init(startsAt: Date, professional: String?) {
      self.startsAt = startsAt
      self.professional = professional
    }
  }

  /// The template and its values. The templates must be approved at the provider in pt_BR with these places:
  ///
  /// - `agendamento_confirmado`: Olá, {{1}}! {{2}} com {{3}} está marcado para {{4}} em {{5}}. Você vem? (Buttons:
  ///   Confirmar, Cancelar)
  /// - `agendamento_indisponivel`: Olá, {{1}}! {{2}} em {{3}} não está disponível. Horários livres: {{4}}.
  /// - `agendamento_indisponivel_sem_opcoes`: Olá, {{1}}! {{2}} em {{3}} não está disponível.
  /// - `agendamento_cancelado`: Olá, {{1}}! {{2}} em {{3}} foi cancelado. {{4}} agradece o aviso.
  /// - `agendamento_remarcado`: Olá, {{1}}! {{2}} com {{3}} foi remarcado para {{4}} em {{5}}. Você vem? (Buttons:
  ///   Confirmar, Cancelar)
  /// - `remarcacao_indisponivel`: Olá, {{1}}! {{2}} não pôde ser remarcado para {{3}}. Horários livres: {{4}}.
  package func content(_ templateValues: TemplateValues, booking: UUID) -> TemplateContent {
    let time = BrazilianTimeFormat(zone: templateValues.timeZone)
    let when = time.text(templateValues.startsAt)
    let free = templateValues.alternatives.map { slot in
      time.text(slot.startsAt) + (slot.professional.map { " com \($0)" } ?? "")
    }.joined(separator: "; ")
    let buttons: [QuickReply] = [.confirm(booking: booking), .cancel(booking: booking)]
    return switch self {
    case .confirmed:
      TemplateContent(
        name: "agendamento_confirmado",
        parameters: [
          templateValues.customer, templateValues.service, templateValues.professional, when, templateValues.business,
        ], quickReplies: buttons)
    case .rejected where templateValues.alternatives.isEmpty:
      TemplateContent(
        name: "agendamento_indisponivel_sem_opcoes",
        parameters: [templateValues.customer, templateValues.service, when])
    case .rejected:
      TemplateContent(
        name: "agendamento_indisponivel", parameters: [templateValues.customer, templateValues.service, when, free])
    case .cancelled:
      TemplateContent(
        name: "agendamento_cancelado",
        parameters: [templateValues.customer, templateValues.service, when, templateValues.business])
    case .rescheduled:
      TemplateContent(
        name: "agendamento_remarcado",
        parameters: [
          templateValues.customer, templateValues.service, templateValues.professional, when, templateValues.business,
        ], quickReplies: buttons)
    case .notRescheduled:
      TemplateContent(
        name: "remarcacao_indisponivel",
        parameters: [templateValues.customer, templateValues.service, when, free.isEmpty ? "nenhum no momento" : free])
    }
  }
}

/// Times as Brazilians write them: `ter., 24/11 às 10:00`.
struct BrazilianTimeFormat {
  private let calendar: Calendar

  private static let weekdays = ["dom.", "seg.", "ter.", "qua.", "qui.", "sex.", "sáb."]

  init(zone: TimeZone) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    self.calendar = calendar
  }

  func text(_ date: Date) -> String {
    let parts = calendar.dateComponents([.weekday, .day, .month, .hour, .minute], from: date)
    func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
    let weekday = Self.weekdays[((parts.weekday ?? 1) - 1) % 7]
    return "\(weekday), \(two(parts.day))/\(two(parts.month)) às \(two(parts.hour)):\(two(parts.minute))"
  }
}
