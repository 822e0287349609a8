internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A request's context with its connection, so that the connection can be cut.
struct SandboxContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  /// Closes the connection; the response that it returns is not sent.
  func cut() async -> Response {
    // It fails where the client has closed the connection first.
    _ = try? await channel.close().get()
    return Response(status: .internalServerError)
  }
}
