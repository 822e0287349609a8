/// Validates the components of a template message.
struct TemplateValidator {
  let template: ApprovedTemplate

  /// The limit of a text parameter, in characters.
  private static let textMax = 1_024
  /// The limit of a quick reply's payload, in characters.
  private static let payloadMax = 256

  /// Validates the components and returns the payloads of the quick replies, in the order of their indices.
  func payloads(in components: [JSONValue]) throws(GraphError) -> [String] {
    var parameters: [JSONValue] = []
    var buttons: [JSONValue] = []
    for component in components {
      guard let type = component["type"]?.stringValue?.lowercased() else { throw Self.missing("type") }
      switch type {
      case "body": parameters += component["parameters"]?.arrayValue ?? []
      case "button": buttons.append(component)
      default: throw GraphError(132_018, "\(type): the template has no such component")
      }
    }
    try checkBody(parameters)
    var payloads: [Int: String] = [:]
    for button in buttons {
      let (index, payload) = try quickReply(button)
      guard payloads[index] == nil else { throw GraphError(132_018, "button: index \(index) is given twice") }
      payloads[index] = payload
    }
    return payloads.sorted { $0.key < $1.key }.map { $0.value }
  }

  private func checkBody(_ parameters: [JSONValue]) throws(GraphError) {
    guard parameters.count == template.bodyParameters else {
      throw GraphError(
        132_000,
        "body: number of localizable_params (\(parameters.count)) does not match the expected number of params "
          + "(\(template.bodyParameters))")
    }
    for parameter in parameters {
      guard let type = parameter["type"]?.stringValue else { throw Self.missing("parameters][type") }
      guard type == "text", parameter["parameter_name"] == nil else {
        throw GraphError(132_012, "body: the template's parameters are positional texts")
      }
      guard let text = parameter["text"]?.stringValue else { throw Self.missing("parameters][text") }
      guard !text.isEmpty else { throw GraphError(132_018, "body: a parameter's text is empty") }
      // Meta's text; four consecutive spaces are allowed.
      guard !text.contains(where: { $0.isNewline || $0 == "\t" }), !text.contains("     ") else {
        throw GraphError(132_018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
      }
      guard text.unicodeScalars.count <= Self.textMax else {
        throw GraphError(132_005, "body: a parameter's text has more than \(Self.textMax) characters")
      }
    }
  }

  private static func missing(_ name: String) -> GraphError { .missing("template['components'][\(name)]") }

  private func quickReply(_ button: JSONValue) throws(GraphError) -> (index: Int, payload: String) {
    guard button["sub_type"]?.stringValue?.lowercased() == "quick_reply" else {
      throw GraphError(132_018, "button: the template has quick replies only")
    }
    // The index is a string in Meta's examples; a number is accepted as well.
    guard let index = button["index"]?.intValue ?? button["index"]?.stringValue.flatMap({ Int($0) }) else {
      throw Self.missing("index")
    }
    guard (0..<template.quickReplies).contains(index) else {
      throw GraphError(132_018, "button: the template has no quick reply with index \(index)")
    }
    guard let parameters = button["parameters"]?.arrayValue, parameters.count == 1, let parameter = parameters.first,
      parameter["type"]?.stringValue == "payload", let payload = parameter["payload"]?.stringValue
    else { throw GraphError(132_018, "button: a quick reply has one parameter, of type payload") }
    guard (1...Self.payloadMax).contains(payload.unicodeScalars.count) else {
      throw GraphError(132_018, "button: a payload has 1 to \(Self.payloadMax) characters")
    }
    return (index, payload)
  }
}
