internal import Foundation

/// Validates requests to send as Meta does, in Meta's order.
struct RequestValidator: Sendable {
  let configuration: SandboxConfiguration
  let templates: TemplateCatalog
  let windows: CustomerServiceWindows

  /// The limit of `biz_opaque_callback_data`, in characters.
  private static let callbackMax = 512
  /// The limit of a text message, in characters.
  private static let textMax = 4_096

  func check(_ request: IncomingRequest) throws(GraphError) -> CheckedRequest {
    guard request.version.wholeMatch(of: /v[0-9]+\.[0-9]+/) != nil else {
      throw GraphError(2_500, "Unknown path components: /\(request.phoneNumberID)/messages")
    }
    guard request.authorization == "Bearer \(configuration.token)" else { throw GraphError(190) }
    guard let displayNumber = configuration.displayNumber(of: request.phoneNumberID) else {
      throw GraphError(
        100,
        "Unsupported post request. Object with ID '\(request.phoneNumberID)' does not exist, cannot be loaded due to "
          + "missing permissions, or does not support this operation", subcode: 33)
    }
    guard let body = request.document, body.isObject else { throw GraphError(100, "The body is not a JSON object.") }
    guard let product = body["messaging_product"] else {
      throw GraphError(100, "The parameter messaging_product is required.")
    }
    guard product.stringValue == "whatsapp" else { throw GraphError.invalid("messaging_product") }
    if let status = body["status"] { return try markRead(status, body) }
    guard body["recipient_type"] == nil || body["recipient_type"] == "individual" else {
      throw GraphError.invalid("recipient_type")
    }
    let recipient = try recipient(body)
    guard recipient.digits != displayNumber else { throw GraphError(131_021) }
    let callback = try callback(body)
    guard let type = body["type"] else { throw GraphError.missing("type") }
    var template: String?
    var payloads: [String] = []
    switch type.stringValue {
    case "template": (template, payloads) = try self.template(body)
    case "text": try checkText(body, recipient, request.phoneNumberID)
    case nil: throw GraphError.invalid("type")
    default: throw GraphError(131_051)
    }
    return .send(
      SendRequest(
        recipient: recipient, phoneNumberID: request.phoneNumberID, displayNumber: displayNumber, template: template,
        callback: callback, payloads: payloads))
  }

  private func markRead(_ status: JSONValue, _ body: JSONValue) throws(GraphError) -> CheckedRequest {
    guard status == "read" else { throw GraphError.invalid("status") }
    guard let id = body["message_id"]?.stringValue, !id.isEmpty else { throw GraphError.missing("message_id") }
    return .markRead
  }

  /// `to` takes precedence over `recipient`.
  private func recipient(_ body: JSONValue) throws(GraphError) -> Recipient {
    if let to = body["to"] {
      guard let input = to.stringValue else { throw GraphError.invalid("to") }
      let digits = input.hasPrefix("+") ? String(input.dropFirst()) : input
      guard PhoneDigits.areValid(digits) else { throw GraphError.invalid("to") }
      return Recipient(input: input, digits: digits)
    }
    guard let user = body["recipient"] else { throw GraphError.missing("to") }
    guard let input = user.stringValue, input.utf8.count <= 128,
      input.wholeMatch(of: /[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]+/) != nil
    else { throw GraphError.invalid("recipient") }
    return Recipient(input: input, digits: nil)
  }

  private func callback(_ body: JSONValue) throws(GraphError) -> String? {
    guard let value = body["biz_opaque_callback_data"] else { return nil }
    guard let callback = value.stringValue, callback.unicodeScalars.count <= Self.callbackMax else {
      throw GraphError.invalid("biz_opaque_callback_data")
    }
    return callback
  }

  private func template(_ body: JSONValue) throws(GraphError) -> (name: String?, payloads: [String]) {
    guard let content = body["template"] else { throw GraphError.missing("template") }
    guard let name = content["name"]?.stringValue else { throw GraphError.missing("template['name']") }
    guard let language = content["language"]?["code"]?.stringValue else {
      throw GraphError.missing("template['language']")
    }
    let template = try templates.usable(name, language: language)
    let payloads = try TemplateValidator(template: template).payloads(in: content["components"]?.arrayValue ?? [])
    return (name, payloads)
  }

  private func checkText(_ body: JSONValue, _ recipient: Recipient, _ phoneNumberID: String) throws(GraphError) {
    guard let content = body["text"]?["body"] else { throw GraphError.missing("text['body']") }
    guard let text = content.stringValue, (1...Self.textMax).contains(text.unicodeScalars.count) else {
      throw GraphError.invalid("text['body']")
    }
    guard let digits = recipient.digits, windows.isOpen(digits, at: phoneNumberID) else { throw GraphError(131_047) }
  }
}
