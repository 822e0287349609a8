internal import Synchronization

/// A template as Meta approved it: in Brazilian Portuguese, with positional text parameters in its body.
struct ApprovedTemplate: Sendable, Equatable {
  let name: String
  /// How many parameters the body has.
  let bodyParameters: Int
  /// How many quick reply buttons there are; their indices begin at 0.
  let quickReplies: Int

  static let language = "pt_BR"
  static let category = "UTILITY"

  static let all = [
    ApprovedTemplate(name: "agendamento_confirmado", bodyParameters: 5, quickReplies: 2),
    ApprovedTemplate(name: "agendamento_indisponivel", bodyParameters: 4, quickReplies: 0),
    ApprovedTemplate(name: "agendamento_indisponivel_sem_opcoes", bodyParameters: 3, quickReplies: 0),
    ApprovedTemplate(name: "agendamento_cancelado", bodyParameters: 4, quickReplies: 0),
    ApprovedTemplate(name: "agendamento_remarcado", bodyParameters: 5, quickReplies: 2),
    ApprovedTemplate(name: "remarcacao_indisponivel", bodyParameters: 4, quickReplies: 0),
    ApprovedTemplate(name: "lembrete_consulta", bodyParameters: 3, quickReplies: 2),
  ]

  static func named(_ name: String) -> ApprovedTemplate? { all.first { $0.name == name } }

  /// Meta's number for it, up to 16 digits.
  var id: Int { Int(Hashing.number("template|\(name)") % 10_000_000_000_000_000) }
}

/// Whether a template may be used.
enum TemplateState: String, Sendable {
  case approved, paused, disabled
}

/// The templates and their states. All are approved at first.
final class TemplateCatalog: Sendable {
  private let states = Mutex<[String: TemplateState]>([:])

  func set(_ state: TemplateState, of template: ApprovedTemplate) { states.withLock { $0[template.name] = state } }

  /// The template, where it may be used.
  func usable(_ name: String, language: String) throws(GraphError) -> ApprovedTemplate {
    guard language == ApprovedTemplate.language, let template = ApprovedTemplate.named(name) else {
      throw GraphError(132_001, "template name (\(name)) does not exist in \(language)")
    }
    switch states.withLock({ $0[name] }) {
    case .paused: throw GraphError(132_015, "template name (\(name)) is paused")
    case .disabled: throw GraphError(132_016, "template name (\(name)) is disabled")
    case .approved, nil: return template
    }
  }
}
