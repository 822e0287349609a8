import Foundation
import Testing
import WhatsApp

/// What customers are told, by which template.
struct NotificationKindTests {
  private let booking = UUID()

  private func content(_ notification: NotificationKind, _ templateValues: NotificationKind.TemplateValues)
    -> TemplateContent
  {
    notification.content(templateValues, booking: booking)
  }

  @Test func `a confirmed booking is told with its time and place, and asks whether one will come`() throws {
    let content = content(.confirmed, try templateValues())
    #expect(content.name == "agendamento_confirmado")
    #expect(content.parameters == ["Maria", "Limpeza", "Dra. Ana", "ter., 24/11 às 10:00", "Clínica Sol"])
    #expect(content.quickReplies.compactMap(QuickReply.init(payload:)) == buttons)
    let body = "Olá, Maria! Limpeza com Dra. Ana está marcado para ter., 24/11 às 10:00 em Clínica Sol. Você vem?"
    #expect(try content.body() == body)
  }

  @Test func `names that are unknown have stand-ins`() throws {
    let content = content(.confirmed, try templateValues(service: nil, professional: nil))
    #expect(content.parameters == ["Maria", "Atendimento", "a equipe", "ter., 24/11 às 10:00", "Clínica Sol"])
  }

  @Test func `a moved booking is told like a confirmed one`() throws {
    let content = content(.rescheduled, try templateValues())
    #expect(content.name == "agendamento_remarcado")
    #expect(content.parameters == ["Maria", "Limpeza", "Dra. Ana", "ter., 24/11 às 10:00", "Clínica Sol"])
    #expect(content.quickReplies.compactMap(QuickReply.init(payload:)) == buttons)
  }

  @Test func `a cancelled booking is told without buttons`() throws {
    let content = content(.cancelled, try templateValues())
    #expect(content.name == "agendamento_cancelado")
    #expect(content.parameters == ["Maria", "Limpeza", "ter., 24/11 às 10:00", "Clínica Sol"])
    #expect(content.quickReplies.isEmpty)
  }

  @Test func `what could not be had is told with free times, and whose they are where they are another's`() throws {
    let templateValues = try templateValues(alternatives: [
      ("2026-11-24T14:00", nil), ("2026-11-24T14:30", "Dr. Caio"), ("2026-11-25T03:15", nil),
    ])
    let times = "ter., 24/11 às 11:00; ter., 24/11 às 11:30 com Dr. Caio; qua., 25/11 às 00:15"
    for (notification, name) in [
      (NotificationKind.rejected, "agendamento_indisponivel"),
      (NotificationKind.notRescheduled, "remarcacao_indisponivel"),
    ] {
      let content = content(notification, templateValues)
      #expect(content.name == name)
      #expect(content.parameters == ["Maria", "Limpeza", "ter., 24/11 às 10:00", times])
      #expect(content.quickReplies.isEmpty)
    }
  }

  @Test func `without free times a rejection has a template of its own`() throws {
    let content = content(.rejected, try templateValues())
    #expect(content.name == "agendamento_indisponivel_sem_opcoes")
    #expect(content.parameters == ["Maria", "Limpeza", "ter., 24/11 às 10:00"])
    #expect(content.quickReplies.isEmpty)
  }

  @Test func `without free times a move that failed says so in their place`() throws {
    let content = content(.notRescheduled, try templateValues())
    #expect(content.name == "remarcacao_indisponivel")
    #expect(content.parameters.count == 4)
    #expect(content.parameters.last.map { parameterViolation(to: $0) == nil && !$0.contains("/") } == true)
  }

  @Test(arguments: NotificationKind.allCases)
  func `every notification fills the places of an approved template, with or without free times`(
    _ notification: NotificationKind
  ) throws {
    let choices: [[(startsAt: String, professional: String?)]] = [[], [("2026-11-24T14:00", nil)]]
    for alternatives in choices {
      let content = content(notification, try templateValues(alternatives: alternatives))
      let template = try #require(approvedTemplates[content.name])
      let places = template.components(separatedBy: "{{").count - 1
      #expect(content.parameters.count == places)
      #expect(content.language == "pt_BR")
      #expect(try !content.body().contains("{{"))
      #expect(content.quickReplies.isEmpty != template.hasSuffix("Você vem?"))
      #expect(content.quickReplies.allSatisfy { $0.utf8.count <= 256 })
    }
  }

  @Test func `notifications are stored under names that stay`() {
    let names = ["confirmed", "rejected", "cancelled", "rescheduled", "not_rescheduled"]
    #expect(NotificationKind.allCases.map(\.rawValue) == names)
  }

  private var buttons: [QuickReply] { [.confirm(booking: booking), .cancel(booking: booking)] }
}
