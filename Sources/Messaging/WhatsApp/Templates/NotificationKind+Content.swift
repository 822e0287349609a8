package import Foundation

extension NotificationKind {
  /// The template of the notification with its values; see ``PortugueseTexts`` for the templates.
  package func content(_ values: TemplateValues, booking: UUID) -> TemplateContent {
    let format = BrazilianTimeFormat(zone: values.timeZone)
    let time = format.text(values.startsAt)
    let freeTimes = PortugueseTexts.freeTimes(values.alternatives, format)
    let service = values.service ?? PortugueseTexts.unknownService
    let professional = values.professional ?? PortugueseTexts.unknownProfessional
    let buttons: [QuickReply] = [.confirm(booking: booking), .cancel(booking: booking)]
    return switch self {
    case .confirmed:
      TemplateContent(
        name: PortugueseTexts.confirmedTemplate,
        parameters: [values.customer, service, professional, time, values.business], quickReplies: buttons)
    case .rejected where values.alternatives.isEmpty:
      TemplateContent(
        name: PortugueseTexts.rejectedWithoutAlternativesTemplate, parameters: [values.customer, service, time])
    case .rejected:
      TemplateContent(name: PortugueseTexts.rejectedTemplate, parameters: [values.customer, service, time, freeTimes])
    case .cancelled:
      TemplateContent(
        name: PortugueseTexts.cancelledTemplate, parameters: [values.customer, service, time, values.business])
    case .rescheduled:
      TemplateContent(
        name: PortugueseTexts.rescheduledTemplate,
        parameters: [values.customer, service, professional, time, values.business], quickReplies: buttons)
    case .notRescheduled:
      TemplateContent(
        name: PortugueseTexts.notRescheduledTemplate,
        parameters: [values.customer, service, time, freeTimes.isEmpty ? PortugueseTexts.noFreeTimes : freeTimes])
    }
  }
}
