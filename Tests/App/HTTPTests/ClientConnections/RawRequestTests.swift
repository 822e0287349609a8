import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTP

/// Raw requests of every odd shape: what reaches the routes, and what the connection answers itself. A shape that a
/// proxy before us might read differently must end the connection.
struct RawRequestTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    /// nil: it reaches the routes, with this body.
    var status: Int?
    var body = ""
    /// The connection ends with the answer.
    var closes = false
    var testDescription: String { name }
  }

  private static func taken(_ name: String, _ text: String, body: String = "", closes: Bool = false) -> Shape {
    Shape(name: name, text: text, status: nil, body: body, closes: closes)
  }
  private static func refused(_ status: Int, _ name: String, _ text: String) -> Shape {
    Shape(name: name, text: text, status: status)
  }
  private static func get(_ headers: String) -> String { "GET /v1/x HTTP/1.1\r\n\(headers)\r\n\r\n" }
  private static func post(_ headers: String, _ body: String) -> String {
    "POST /v1/x HTTP/1.1\r\nHost: x\r\n\(headers)\r\n\r\n\(body)"
  }
  private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked", body) }

  static let shapes: [Shape] = [
    taken("plain", get("Host: x")),
    taken("host with port", get("Host: example.com:8080")),
    taken("IPv6 host", get("Host: [::1]:8080")),
    taken("absolute form", "GET http://x/v1/x HTTP/1.1\r\nHost: x\r\n\r\n"),
    taken("header names in any case", get("hOsT: x")),
    taken("keep-alive", get("Host: x\r\nConnection: keep-alive")),
    taken("close", get("Host: x\r\nConnection: close"), closes: true),
    taken("Close", get("Host: x\r\nConnection: Close"), closes: true),
    taken("close among tokens", get("Host: x\r\nConnection: foo, CLOSE"), closes: true),
    taken("HTTP/1.0", "GET /v1/x HTTP/1.0\r\nHost: x\r\n\r\n", closes: true),
    taken("HTTP/1.0 without host", "GET /v1/x HTTP/1.0\r\n\r\n", closes: true),
    taken("HTTP/1.0 keep-alive", "GET /v1/x HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", closes: true),
    taken("upgrade", get("Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket"), closes: true),
    taken("empty body", post("Content-Length: 0", "")),
    taken("body", post("Content-Length: 3", "abc"), body: "abc"),
    taken("chunked", chunked("3\r\nabc\r\n0\r\n\r\n"), body: "abc"),
    taken("chunk size in hex", chunked("0a\r\n0123456789\r\n0\r\n\r\n"), body: "0123456789"),
    taken("chunk extension", chunked("3;x=y\r\nabc\r\n0\r\n\r\n"), body: "abc"),
    taken("trailer", chunked("3\r\nabc\r\n0\r\nX: y\r\n\r\n"), body: "abc"),
    taken("Chunked", post("Transfer-Encoding: Chunked", "3\r\nabc\r\n0\r\n\r\n"), body: "abc"),
    taken("TE is a hint only", post("TE: gzip, chunked\r\nContent-Length: 3", "abc"), body: "abc"),

    refused(400, "no host", get("X: y")),
    refused(400, "two hosts", get("Host: x\r\nHost: y")),
    refused(400, "the same host twice", get("Host: x\r\nHost: x")),
    refused(400, "empty host", get("Host:")),
    refused(400, "host with a path", get("Host: x/y")),
    refused(400, "host with a blank", get("Host: x y")),
    refused(400, "host with a user", get("Host: a@x")),
    refused(400, "host list", get("Host: x, y")),
    refused(400, "length and chunked", post("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
    refused(400, "chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 3", "0\r\n\r\n")),
    refused(400, "two lengths", post("Content-Length: 3\r\nContent-Length: 4", "abcd")),
    refused(400, "the same length twice", post("Content-Length: 3\r\nContent-Length: 3", "abc")),
    refused(400, "list of lengths", post("Content-Length: 3, 3", "abc")),
    refused(400, "negative length", post("Content-Length: -3", "abc")),
    refused(400, "signed length", post("Content-Length: +3", "abc")),
    refused(400, "hex length", post("Content-Length: 0x3", "abc")),
    refused(400, "length with a fraction", post("Content-Length: 3.0", "abc")),
    refused(400, "length beyond 64 bits", post("Content-Length: 99999999999999999999", "abc")),
    refused(400, "length of words", post("Content-Length: three", "abc")),
    refused(501, "gzip, chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")),
    refused(400, "chunked, gzip", post("Transfer-Encoding: chunked, gzip", "0\r\n\r\n")),
    refused(501, "gzip", post("Transfer-Encoding: gzip", "0\r\n\r\n")),
    refused(501, "identity", post("Transfer-Encoding: identity", "0\r\n\r\n")),
    refused(400, "chunked twice", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n")),
    refused(400, "two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
    refused(501, "chunked misspelled", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
    refused(400, "chunked with a tab before the colon", post("Transfer-Encoding\t: chunked", "0\r\n\r\n")),
    refused(400, "blank before the colon", get("Host : x")),
    refused(400, "chunked in HTTP/1.0", "POST /v1/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "chunk size of words", chunked("xyz\r\nabc\r\n0\r\n\r\n")),
    refused(400, "negative chunk size", chunked("-3\r\nabc\r\n0\r\n\r\n")),
    refused(400, "chunk size 0x3", chunked("0x3\r\nabc\r\n0\r\n\r\n")),
    refused(400, "chunk size beyond 64 bits", chunked("fffffffffffffffff\r\nabc\r\n0\r\n\r\n")),
    refused(400, "chunk longer than its size", chunked("2\r\nabc\r\n0\r\n\r\n")),
    refused(400, "blank before a chunk size", chunked(" 3\r\nabc\r\n0\r\n\r\n")),
    refused(400, "empty chunk size", chunked("\r\nabc\r\n0\r\n\r\n")),
    refused(400, "bare LF in a chunk", chunked("3\nabc\n0\n\n")),
    refused(505, "bare LF after headers", "POST /v1/x HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc"),
    refused(400, "bare CR in a header", get("Host: x\rX: y")),
    refused(400, "NUL in a header", get("Host: x\r\nX: a\0b")),
    refused(400, "folded header", get("Host: x\r\nX: a\r\n b")),
    refused(400, "header without a colon", get("Host: x\r\nnonsense")),
    refused(400, "header without a name", get("Host: x\r\n: y")),
    refused(400, "header name with a blank", get("Host: x\r\nX Y: z")),
    refused(505, "no version", "GET /v1/x\r\n\r\n"),
    refused(400, "blank at the start", " GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n"),
    refused(400, "unknown protocol", "GET /v1/x HTCPCP/1.0\r\nHost: x\r\n\r\n"),
    refused(400, "TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{FC}\u{3}\u{3}"),
    refused(400, "nonsense", "nonsense\r\n\r\n"),
    refused(501, "CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"),
    refused(413, "too large for its path", post("Content-Length: 65537", "")),
    refused(417, "unknown expectation", post("Content-Length: 3\r\nExpect: more", "abc")),
    refused(431, "one huge header", get("Host: x\r\nX: " + String(repeating: "y", count: 9 << 10))),
    refused(
      431, "huge headers",
      get(
        "Host: x\r\n"
          + (0..<40).map { "X\($0): " + String(repeating: "y", count: 500) }
          .joined(separator: "\r\n"))),
    refused(431, "many headers", get("Host: x\r\n" + (0..<101).map { "X\($0): y" }.joined(separator: "\r\n"))),
    refused(431, "huge target", "GET /\(String(repeating: "x", count: 9 << 10)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    refused(431, "endless header line", "GET / HTTP/1.1\r\nX: " + String(repeating: "y", count: 40 << 10)),
  ]

  @Test(arguments: shapes) func `a shape is taken or refused`(_ shape: Shape) throws {
    let client = try Embedded()
    // What follows must never be taken for a request of its own where the shape was refused.
    try? client.send(shape.text + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    if let status = shape.status {
      let received = try client.received()
      #expect(try client.status() == status, "\(received)")
      #expect(try client.received().contains("Connection: close"))
      #expect(try client.request() == nil)
      #expect([.closing, .closed].contains(client.connection.state.phase))
      return
    }
    let received = try client.received()
    let request = try #require(try client.request(), "\(received)")
    #expect(request.head.uri.hasSuffix("/v1/x"))
    #expect(request.body == shape.body)
    client.answer()
    #expect(try client.received().contains("Connection: close") == shape.closes)
    #expect(try (client.request()?.head.uri == "/smuggled") == !shape.closes)
  }
}
