internal import NIOHTTP1

/// What a request's head says about the connection, or why it is refused (RFC 9112).
struct RequestHeadCheck: Equatable {
  let limit: BodyLimit
  /// The body's length; nil: it comes in chunks.
  let announced: Int?
  /// The connection ends with the answer.
  let closes: Bool
  /// The client waits for "100 Continue" before it sends the body.
  let waitsForContinue: Bool

  init(_ head: HTTPRequestHead) throws(Refused) {
    let codings = head.headers[canonicalForm: "transfer-encoding"]
    let isChunked = !codings.isEmpty
    guard head.method != .CONNECT else {
      throw Refused(.init(status: .notImplemented, reason: .unsupported, detail: "this is not a proxy"))
    }
    try Self.checkHost(head)
    if isChunked {
      guard head.version.minor >= 1 else {
        throw Refused(.malformed("HTTP/1.0 has no Transfer-Encoding; send a Content-Length"))
      }
      guard codings.count == 1, codings[0].lowercased() == "chunked" else {
        throw Refused(
          .init(status: .notImplemented, reason: .unsupported, detail: "of transfer codings only chunked is taken"))
      }
      guard !head.headers.contains(name: "content-length") else {
        throw Refused(.malformed("a request has either a Content-Length or a Transfer-Encoding"))
      }
    }
    let lengths = head.headers["content-length"]
    if lengths.count > 1 || !lengths.allSatisfy({ Int($0) != nil && $0.utf8.allSatisfy(Self.isDigit) }) {
      throw Refused(.malformed("the Content-Length is malformed"))
    }
    let expectation = head.headers.first(name: "expect")?.lowercased()
    guard expectation == nil || expectation == "100-continue" else {
      throw Refused(
        .init(status: .expectationFailed, reason: .unsupported, detail: "only 100-continue can be expected"))
    }
    limit = BodyLimit.of(head.uri)
    announced = isChunked ? nil : lengths.first.flatMap { Int($0) } ?? 0
    closes = head.version.minor == 0 || !head.isKeepAlive || head.headers.contains(name: "upgrade")
    waitsForContinue = expectation != nil && head.version.minor >= 1 && announced != 0
    if let announced, announced > limit.bytesMax, limit.bytesMax > 0 {
      throw Refused(.bodyTooLarge(limit.bytesMax))
    }
  }

  struct Refused: Error {
    let refusal: Refusal
    init(_ refusal: Refusal) { self.refusal = refusal }
  }

  /// HTTP/1.1 needs exactly one Host; two would be read differently by a proxy and by us.
  private static func checkHost(_ head: HTTPRequestHead) throws(Refused) {
    let hosts = head.headers["host"]
    if hosts.isEmpty, head.version.minor == 0 { return }
    guard hosts.count == 1, let host = hosts.first, !host.isEmpty, host.utf8.allSatisfy(isHost) else {
      throw Refused(.malformed("the request must have one Host header that names a host"))
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// The characters of a host and port (RFC 3986, section 3.2.2).
  private static func isHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "-._~!$&'()*+;=:[]%".utf8.contains(byte)
    }
  }
}
