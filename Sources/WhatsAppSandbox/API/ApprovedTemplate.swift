/// A template as Meta approved it: in Brazilian Portuguese, with positional text parameters in its body.
struct ApprovedTemplate: Sendable, Equatable {
  let name: String
  /// The number of parameters in the body.
  let bodyParameters: Int
  /// The number of quick reply buttons; their indices begin at 0.
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
