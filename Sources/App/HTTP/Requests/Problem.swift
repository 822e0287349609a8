internal import Foundation
package import HTTPTypes
package import Hummingbird
internal import Logging
internal import NIOCore
internal import NIOFoundationEssentialsCompat

/// An error the client is told of, as RFC 9457 problem+json.
package struct Problem: HTTPResponseError {
  /// One field that is wrong.
  package struct Field: Sendable, Encodable, Equatable {
    /// Where: a JSON pointer (RFC 6901) into the body, or `header:NAME`, `query:NAME`, `path:NAME`.
    package let pointer: String
    /// What is wrong with it, such as `must be a UUID`; never the value that was sent.
    package let detail: String
  }

  /// The response's status; the document repeats it and takes its reason phrase for the title.
  package let status: HTTPResponse.Status
  /// What is wrong, and what to do about it; never a value that was sent.
  package let detail: String
  /// All fields that are wrong, sent as `errors`; empty where it is not a matter of fields, and then left out.
  package let fields: [Field]
  /// Seconds after which to try again; sent as `Retry-After`.
  package let retryAfter: Int?

  init(_ status: HTTPResponse.Status, _ detail: String, fields: [Field] = [], retryAfter: Int? = nil) {
    self.status = status
    self.detail = detail
    self.fields = fields
    self.retryAfter = retryAfter
  }

  /// The platform cannot take the request now and has kept nothing of it.
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

  /// The problem as `application/problem+json`. Its `type` is `about:blank`, for the status says all there is (RFC
  /// 9457, section 4.2.1).
  package func response(from request: Request, context: some RequestContext) throws -> Response {
    let document = Document(
      title: status.reasonPhrase, status: status.code, detail: detail, errors: fields.isEmpty ? nil : fields)
    var headers: HTTPFields = [.contentType: "application/problem+json"]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: .init(data: try encoder.encode(document))))
  }
}

/// Turns whatever goes wrong into problem+json; what nobody foresaw is a 500 without details, which are logged.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
  @concurrent
  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let problem as Problem {
      return try problem.response(from: request, context: context)
    } catch let error as any HTTPResponseError {
      let detail: String? =
        switch error.status {
        case .notFound: "there is nothing at this path"
        case .methodNotAllowed: "this path does not take that method"
        case .contentTooLarge: "the body is too large"
        default: nil
        }
      return try Problem(error.status, detail ?? error.status.reasonPhrase).response(from: request, context: context)
    } catch is CancellationError {
      return try Problem.unavailable("the service is stopping; try again").response(from: request, context: context)
    } catch {
      context.logger.error("request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
      return try Problem(.internalServerError, "something went wrong on our side").response(
        from: request, context: context)
    }
  }
}
