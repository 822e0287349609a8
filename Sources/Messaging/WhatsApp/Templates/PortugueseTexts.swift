internal import Foundation

/// All texts in Brazilian Portuguese, in which customers are written to.
///
/// The templates must be approved at the provider in pt_BR with these places. They belong to the provider: only their
/// names are used here.
///
/// - `agendamento_confirmado`: Olá, {{1}}! {{2}} com {{3}} está marcado para {{4}} em {{5}}. Você vem? (Buttons:
///   Confirmar, Cancelar)
/// - `agendamento_indisponivel`: Olá, {{1}}! {{2}} em {{3}} não está disponível. Horários livres: {{4}}.
/// - `agendamento_indisponivel_sem_opcoes`: Olá, {{1}}! {{2}} em {{3}} não está disponível.
/// - `agendamento_cancelado`: Olá, {{1}}! {{2}} em {{3}} foi cancelado. {{4}} agradece o aviso.
/// - `agendamento_remarcado`: Olá, {{1}}! {{2}} com {{3}} foi remarcado para {{4}} em {{5}}. Você vem? (Buttons:
///   Confirmar, Cancelar)
/// - `remarcacao_indisponivel`: Olá, {{1}}! {{2}} não pôde ser remarcado para {{3}}. Horários livres: {{4}}.
enum PortugueseTexts {
  static let confirmedTemplate = "agendamento_confirmado"
  static let rejectedTemplate = "agendamento_indisponivel"
  static let rejectedWithoutAlternativesTemplate = "agendamento_indisponivel_sem_opcoes"
  static let cancelledTemplate = "agendamento_cancelado"
  static let rescheduledTemplate = "agendamento_remarcado"
  static let notRescheduledTemplate = "remarcacao_indisponivel"

  /// Stands in for the name of a service that is unknown.
  static let unknownService = "Atendimento"
  /// Stands in for the name of a professional that is unknown.
  static let unknownProfessional = "a equipe"
  static let noFreeTimes = "nenhum no momento"

  /// Such as `ter., 24/11 às 11:30 com Dr. Caio; qua., 25/11 às 00:15`.
  static func freeTimes(_ slots: [NotificationKind.Alternative], _ format: BrazilianTimeFormat) -> String {
    slots.map { slot in format.text(slot.startsAt) + (slot.professional.map { " com \($0)" } ?? "") }
      .joined(separator: "; ")
  }
}

/// Times such as `ter., 24/11 às 10:00`.
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
