internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Turns every error into problem+json; an unexpected one becomes a 500 without details, which are logged.
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
