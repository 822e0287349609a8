internal import Foundation
internal import NIOHTTP1

/// The answer of a connection to a request that never reaches the routes: the connection ends with it.
struct Refusal: Equatable {
  /// A metric's label.
  enum Reason: String, CaseIterable {
    case malformed, headTooLarge = "head_too_large", headSlow = "head_slow", bodyTooLarge = "body_too_large"
    case bodySlow = "body_slow", bodiesFull = "bodies_full", chunksTooSmall = "chunks_too_small"
    case unsupported
  }

  let status: HTTPResponseStatus
  let reason: Reason
  /// What is wrong, and what to do about it. It repeats nothing of the request.
  let detail: String
  /// Seconds.
  var retryAfter: Int?

  static let incomplete = Refusal(
    status: .badRequest, reason: .malformed, detail: "the request ended early; send it again")
  static let headTooLarge = Refusal(
    status: .requestHeaderFieldsTooLarge, reason: .headTooLarge,
    detail: "the request line and headers may have 16 KiB together, 8 KiB each, and 100 lines")
  static let headSlow = Refusal(
    status: .requestTimeout, reason: .headSlow, detail: "the request's headers did not arrive in time")
  static let bodySlow = Refusal(
    status: .requestTimeout, reason: .bodySlow, detail: "the body did not arrive in time")
  static let bodiesFull = Refusal(
    status: .serviceUnavailable, reason: .bodiesFull, detail: "too many bodies are under way; send it again",
    retryAfter: 1)
  static let chunksTooSmall = Refusal(
    status: .badRequest, reason: .chunksTooSmall,
    detail: "the body comes in very small chunks; send it with a Content-Length or in larger ones")

  static func malformed(_ detail: String) -> Refusal {
    Refusal(status: .badRequest, reason: .malformed, detail: detail)
  }

  static func bodyTooLarge(_ bytesMax: Int) -> Refusal {
    Refusal(
      status: .payloadTooLarge, reason: .bodyTooLarge,
      detail: bytesMax == 0 ? "this path takes no body" : "the body may have at most \(bytesMax) bytes")
  }

  static func decoding(_ error: HTTPParserError) -> Refusal {
    switch error {
    case .headerOverflow: .headTooLarge
    case .invalidVersion:
      Refusal(status: .httpVersionNotSupported, reason: .unsupported, detail: "only HTTP/1.1 is spoken here")
    case .invalidEOFState: .incomplete
    case .invalidChunkSize: .malformed("a chunk's size is malformed")
    case .invalidContentLength, .unexpectedContentLength: .malformed("the Content-Length is malformed")
    default: .malformed("the request is malformed")
    }
  }

  /// The answer: problem+json as of the routes (RFC 9457).
  var response: (head: HTTPResponseHead, body: String) {
    let body =
      #"{"detail":"\#(detail)","status":\#(status.code),"title":"\#(status.reasonPhrase)","type":"about:blank"}"#
    var headers: HTTPHeaders = [
      "Content-Type": "application/problem+json", "Content-Length": String(body.utf8.count), "Connection": "close",
      "Date": Date.now.formatted(Self.dateFormat),
    ]
    if let retryAfter { headers.add(name: "Retry-After", value: String(retryAfter)) }
    return (HTTPResponseHead(version: .http1_1, status: status, headers: headers), body)
  }

  /// RFC 9110, section 5.6.7.
  private static let dateFormat = Date.VerbatimFormatStyle(
    format:
      "\(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .padded(4)) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits) GMT",
    locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian))
}
