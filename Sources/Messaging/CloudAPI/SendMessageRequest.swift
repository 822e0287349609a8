internal import WhatsApp

/// The JSON body of a send.
struct SendMessageRequest: Encodable {
  struct Parameter: Encodable {
    let type: String
    var text: String?
    var payload: String?
  }
  struct Component: Encodable {
    let type: String
    var sub_type: String?
    var index: String?
    let parameters: [Parameter]
  }
  struct Language: Encodable { let code: String }
  struct Template: Encodable {
    let name: String
    let language: Language
    let components: [Component]
  }

  let messaging_product = "whatsapp"
  let recipient_type = "individual"
  var to: String?
  var recipient: String?
  let type = "template"
  let template: Template
  let biz_opaque_callback_data: String

  init(_ message: TemplateMessage) {
    switch message.recipient {
    case .number(let digits): to = digits
    case .user(let id): recipient = id
    }
    biz_opaque_callback_data = message.callback
    let content = message.content
    var components: [Component] = []
    if !content.parameters.isEmpty {
      components.append(
        Component(type: "body", parameters: content.parameters.map { Parameter(type: "text", text: $0) }))
    }
    for (index, payload) in content.quickReplies.enumerated() {
      components.append(
        Component(
          type: "button", sub_type: "quick_reply", index: "\(index)",
          parameters: [Parameter(type: "payload", payload: payload)]))
    }
    template = Template(name: content.name, language: Language(code: content.language), components: components)
  }
}
