internal import HTTPTypes

/// Names of headers that HTTPTypes does not know. `HTTPField.Name.init` is failable; nil reads as an absent header.
enum RequestHeader {
  /// Names the business a request is for.
  static let business = HTTPField.Name("Vluma-Business")
  static let idempotencyKey = HTTPField.Name("Idempotency-Key")
  static let traceparent = HTTPField.Name("traceparent")
}

extension HTTPFields {
  /// The header's value; nil where the header is absent.
  subscript(named name: HTTPField.Name?) -> String? { name.flatMap { self[$0] } }
}
