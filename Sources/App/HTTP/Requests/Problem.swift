internal import HTTPTypes
internal import Hummingbird

/// An error response in RFC 9457 `application/problem+json`. No text in it repeats a value of the request.
struct Problem: HTTPResponseError {
  struct Field: Sendable, Encodable, Equatable {
    /// A JSON pointer (RFC 6901) into the body, or `header:NAME`, `query:NAME`, `path:NAME`.
    let pointer: String
    /// What the field requires, such as `must be a UUID`.
    let detail: String
  }

  let status: HTTPResponse.Status
  /// What is wrong, and what to do about it.
  let detail: String
  /// All invalid fields, sent as `errors`; left out where there are none.
  let fields: [Field]
  /// Seconds, sent as `Retry-After`.
  let retryAfter: Int?

  init(_ status: HTTPResponse.Status, _ detail: String, fields: [Field] = [], retryAfter: Int? = nil) {
    self.status = status
    self.detail = detail
    self.fields = fields
    self.retryAfter = retryAfter
  }

  /// A 503.
  static func unavailable(_ detail: String, retryAfter: Int = 5) -> Problem {
    Problem(.serviceUnavailable, detail, retryAfter: retryAfter)
  }

  private struct Document: Encodable {
    let type = "about:blank"
    let title: String
    let status: Int
    let detail: String
    let errors: [Field]?
  }

  /// The `type` is `about:blank`: the status alone classifies the problem (RFC 9457, section 4.2.1).
  func response(from request: Request, context: some RequestContext) throws -> Response {
    let document = Document(
      title: status.reasonPhrase, status: status.code, detail: detail, errors: fields.isEmpty ? nil : fields)
    var headers: HTTPFields = [.contentType: "application/problem+json"]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    return try .json(document, status: status, headers: headers)
  }
}
