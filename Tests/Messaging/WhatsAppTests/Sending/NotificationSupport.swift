import Foundation
import Testing
import WhatsApp

/// The instant that `2026-11-24T13:00` names in UTC.
func utc(_ text: String) throws -> Date { try Date("\(text):00Z", strategy: .iso8601) }

/// The values of a booking in São Paulo on Tuesday, 24 November 2026, at ten.
func templateValues(
  customer: String = "Maria", business: String = "Clínica Sol", service: String? = "Limpeza",
  professional: String? = "Dra. Ana", startsAt: String = "2026-11-24T13:00",
  alternatives: [(startsAt: String, professional: String?)] = [], zone: String = "America/Sao_Paulo"
) throws -> NotificationKind.TemplateValues {
  NotificationKind.TemplateValues(
    customer: customer, business: business, service: service, professional: professional, startsAt: try utc(startsAt),
    alternatives: try alternatives.map { slot in
      NotificationKind.Alternative(startsAt: try utc(slot.startsAt), professional: slot.professional)
    }, timeZone: try #require(TimeZone(identifier: zone)))
}

/// The templates as they must be approved, `{{n}}` for each parameter; see the documentation of `PortugueseTexts`.
let approvedTemplates = [
  "agendamento_confirmado": "Olá, {{1}}! {{2}} com {{3}} está marcado para {{4}} em {{5}}. Você vem?",
  "agendamento_indisponivel": "Olá, {{1}}! {{2}} em {{3}} não está disponível. Horários livres: {{4}}.",
  "agendamento_indisponivel_sem_opcoes": "Olá, {{1}}! {{2}} em {{3}} não está disponível.",
  "agendamento_cancelado": "Olá, {{1}}! {{2}} em {{3}} foi cancelado. {{4}}",
  "agendamento_remarcado": "Olá, {{1}}! {{2}} com {{3}} foi remarcado para {{4}} em {{5}}. Você vem?",
  "remarcacao_indisponivel": "Olá, {{1}}! {{2}} não pôde ser remarcado para {{3}}. Horários livres: {{4}}.",
]

extension TemplateContent {
  /// The body as the customer reads it.
  func body() throws -> String {
    var text = try #require(approvedTemplates[name], "\(name) is no approved template")
    for (index, parameter) in parameters.enumerated() {
      text = text.replacingOccurrences(of: "{{\(index + 1)}}", with: parameter)
    }
    return text
  }
}

/// Why the provider would refuse a parameter; nil where it would not.
func parameterViolation(to parameter: String) -> String? {
  let scalars = parameter.unicodeScalars
  if !scalars.contains(where: { !$0.properties.isWhitespace }) { return "it is empty" }
  let breaks: Set<UInt32> = [0x85, 0x2028, 0x2029]
  if scalars.contains(where: { $0.value < 32 || breaks.contains($0.value) }) { return "it has a line break or a tab" }
  if parameter.contains("     ") { return "it has more than four spaces in a row" }
  // The whole body may have 1,024 characters.
  if scalars.count > 1_024 { return "it has \(scalars.count) characters" }
  return nil
}
