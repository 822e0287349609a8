import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded

/// What a router answered.
struct Answer {
  let status: HTTPResponse.Status
  let headers: HTTPFields
  let body: String
}

extension Router where Context == BasicRequestContext {
  /// Sends a request through the router, without a server or a connection.
  func send(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: String = ""
  ) async throws -> Answer {
    let head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path, headerFields: headers)
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let context = BasicRequestContext(
      source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: logger))
    let response = try await buildResponder().respond(to: request, context: context)
    let written = WrittenBody()
    try await response.body.write(BodyWriter(written: written))
    return Answer(status: response.status, headers: response.headers, body: String(buffer: written.buffer))
  }
}

private final class WrittenBody {
  var buffer = ByteBuffer()
}

private struct BodyWriter: ResponseBodyWriter {
  let written: WrittenBody

  mutating func write(_ buffer: ByteBuffer) async throws { written.buffer.writeImmutableBuffer(buffer) }
  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
