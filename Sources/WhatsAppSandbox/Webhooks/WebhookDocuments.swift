internal import Foundation

/// The bodies of webhooks, in Meta's shapes.
enum WebhookDocuments {
  /// The WhatsApp Business Account all numbers and templates belong to.
  static let account = "102290129340398"
  /// The name of a contact without one: not ASCII, so that every receiver must decode escapes.
  static let unnamed = "João Açaí"

  /// An accepted message.
  struct Message: Sendable {
    let wamid: String
    let request: SendRequest
    /// The account's number; nil: only its user id is known.
    let waID: String?
    let user: String
  }

  /// A message from a customer to the business.
  struct Inbound: Sendable {
    enum Content: Sendable {
      case text(String)
      /// A quick reply of a template.
      case button(payload: String, text: String)
    }
    let wamid: String
    let phoneNumberID: String
    let displayNumber: String
    let from: String
    let name: String?
    let content: Content
    /// The message that is replied to.
    let context: String?
  }

  private static func envelope(_ field: String, _ value: JSONValue, time: Date? = nil) -> JSONValue {
    let change: JSONValue = ["value": value, "field": .string(field)]
    var entry: [String: JSONValue] = ["id": .string(account), "changes": .array([change])]
    if let time { entry["time"] = .integer(Int(time.timeIntervalSince1970)) }
    return ["object": "whatsapp_business_account", "entry": .array([.object(entry)])]
  }

  private static func value(_ phoneNumberID: String, _ displayNumber: String) -> [String: JSONValue] {
    [
      "messaging_product": "whatsapp",
      "metadata": ["display_phone_number": .string(displayNumber), "phone_number_id": .string(phoneNumberID)],
    ]
  }

  /// - Parameter code: the error's, where the message failed.
  static func status(_ status: MessageStatus, of message: Message, at time: Date, code: Int?) -> JSONValue {
    var document: [String: JSONValue] = [
      "id": .string(message.wamid), "status": .string(status.rawValue), "timestamp": .string(Timestamp.seconds(time)),
    ]
    var value = value(message.request.phoneNumberID, message.request.displayNumber)
    if let waID = message.waID { document["recipient_id"] = .string(waID) }
    if let callback = message.request.callback { document["biz_opaque_callback_data"] = .string(callback) }
    if status == .sent || status == .delivered {
      document["pricing"] = pricing(isText: message.request.template == nil)
    }
    if status == .failed {
      document["errors"] = .array([error(code ?? 131_026)])
    } else {
      document["recipient_user_id"] = .string(message.user)
      var contact: [String: JSONValue] = ["profile": ["name": .string(unnamed)], "user_id": .string(message.user)]
      if let waID = message.waID { contact["wa_id"] = .string(waID) }
      value["contacts"] = .array([.object(contact)])
    }
    value["statuses"] = .array([.object(document)])
    return envelope("messages", .object(value))
  }

  /// Texts are sent only within the customer's 24 hours, in which they are free.
  private static func pricing(isText: Bool) -> JSONValue {
    [
      "billable": .bool(!isText), "pricing_model": "PMP", "type": isText ? "free_customer_service" : "regular",
      "category": isText ? "service" : "utility",
    ]
  }

  private static func error(_ code: Int) -> JSONValue {
    let entry = ErrorCatalog.entry(code)
    return [
      "code": .integer(code), "title": .string(entry.title), "message": .string(entry.title),
      "error_data": ["details": .string(entry.details)],
      "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    ]
  }

  static func inbound(_ message: Inbound, at time: Date) -> JSONValue {
    var document: [String: JSONValue] = [
      "from": .string(message.from), "id": .string(message.wamid), "timestamp": .string(Timestamp.seconds(time)),
    ]
    switch message.content {
    case .text(let text):
      document["type"] = .string("text")
      document["text"] = ["body": .string(text)]
    case .button(let payload, let text):
      document["type"] = .string("button")
      document["button"] = ["payload": .string(payload), "text": .string(text)]
    }
    if let context = message.context {
      document["context"] = ["from": .string(message.displayNumber), "id": .string(context)]
    }
    var value = value(message.phoneNumberID, message.displayNumber)
    let name = message.name ?? unnamed
    value["contacts"] = [["profile": ["name": .string(name)], "wa_id": .string(message.from)]]
    value["messages"] = .array([.object(document)])
    return envelope("messages", .object(value))
  }

  static func template(_ template: ApprovedTemplate, _ state: TemplateState, at time: Date) -> JSONValue {
    var value: [String: JSONValue] = [
      "event": .string(state.rawValue.uppercased()), "message_template_id": .integer(template.id),
      "message_template_name": .string(template.name), "message_template_language": .string(ApprovedTemplate.language),
      "reason": "NONE", "message_template_category": .string(ApprovedTemplate.category),
    ]
    switch state {
    case .approved: break
    case .paused:
      value["other_info"] = [
        "title": "FIRST_PAUSE",
        "description": "Your WhatsApp message template has been paused for 3 hours because it had issues.",
      ]
    case .disabled: value["disable_info"] = ["disable_date": .string(Timestamp.seconds(time))]
    }
    return envelope("message_template_status_update", .object(value), time: time)
  }
}
