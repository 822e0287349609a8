/// An error as the Graph API answers it.
struct GraphError: Error, Equatable {
  let code: Int
  let httpStatus: Int
  let subcode: Int?
  let details: String

  /// - Parameter details: nil: the catalog's text.
  /// - Parameter httpStatus: nil: the one Meta uses for the code.
  init(_ code: Int, _ details: String? = nil, httpStatus: Int? = nil, subcode: Int? = nil) {
    self.code = code
    self.httpStatus = httpStatus ?? ErrorCatalog.httpStatus(code)
    // 463: the session has expired.
    self.subcode = subcode ?? (code == 190 ? 463 : nil)
    self.details = details ?? ErrorCatalog.entry(code).details
  }

  static func missing(_ name: String) -> GraphError { GraphError(131_008, "The parameter \(name) is required.") }

  static func invalid(_ name: String) -> GraphError { GraphError(131_009, "The value of \(name) is not valid.") }

  /// True for errors of the Graph API itself rather than WhatsApp's; they have no `error_data`.
  private var isGeneral: Bool { [0, 2, 190, 2_500].contains(code) || subcode != nil }

  private var message: String {
    switch code {
    case 2: "An unexpected error has occurred. Please retry your request later."
    case 190: "Error validating access token: Session has expired."
    case _ where isGeneral: details
    default: "(#\(code)) \(ErrorCatalog.entry(code).title)"
    }
  }

  /// The response's body.
  ///
  /// - Parameter trace: `fbtrace_id`, which Meta adds to every error.
  func document(trace: String) -> JSONValue {
    var error: [String: JSONValue] = [
      "message": .string(message), "type": "OAuthException", "code": .integer(code), "fbtrace_id": .string(trace),
    ]
    if let subcode { error["error_subcode"] = .integer(subcode) }
    if code == 2 { error["is_transient"] = .bool(true) }
    if !isGeneral { error["error_data"] = ["messaging_product": "whatsapp", "details": .string(details)] }
    return ["error": .object(error)]
  }
}
