internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOFoundationEssentialsCompat

extension Request {
  /// The business the request is for; throws a 400 without a valid header.
  func business() throws(Problem) -> UUID {
    guard let business = headers[named: RequestHeader.business].flatMap(UUID.init(uuidString:)) else {
      throw Problem(
        .badRequest, "the header Vluma-Business must name the business by its UUID",
        fields: [.init(pointer: "header:Vluma-Business", detail: "must be a UUID")])
    }
    return business
  }

  /// The client's idempotency key, a quoted structured-field string or bare; nil: the request has none.
  func idempotencyKey() throws(Problem) -> String? {
    guard var key = headers[named: RequestHeader.idempotencyKey] else { return nil }
    if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
    guard (1...255).contains(key.utf8.count) else {
      throw Problem(
        .badRequest, "the Idempotency-Key must have 1 to 255 bytes",
        fields: [.init(pointer: "header:Idempotency-Key", detail: "must have 1 to 255 bytes")])
    }
    return key
  }

  /// The W3C trace context; nil where it is missing or malformed.
  var traceparent: String? {
    guard let value = headers[named: RequestHeader.traceparent],
      value.utf8.count == 55, value.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/) != nil
    else { return nil }
    return value
  }

  /// The body, which must be declared as JSON.
  func json(upTo bytesMax: Int) async throws -> Data {
    try MediaType.requireJSON(headers)
    return try await bytes(upTo: bytesMax)
  }

  /// The body. It has arrived: a connection hands on complete requests only.
  func bytes(upTo bytesMax: Int) async throws -> Data {
    do {
      return Data(buffer: try await body.collect(upTo: bytesMax))
    } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
      throw Self.tooLarge(bytesMax)
    }
  }

  static func tooLarge(_ bytesMax: Int) -> Problem {
    Problem(.contentTooLarge, "the body may have at most \(bytesMax) bytes")
  }
}

extension RequestContext {
  /// The booking named in the path.
  func booking() throws(Problem) -> UUID {
    guard let id = parameters.get("id").flatMap(UUID.init(uuidString:)) else {
      throw Problem(
        .notFound, "a booking's id is a UUID", fields: [.init(pointer: "path:id", detail: "must be a UUID")])
    }
    return id
  }
}
