internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOFoundationEssentialsCompat
internal import ServiceLifecycle

/// A request's context that knows the connection, so that it can be cut.
struct SandboxContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  /// Closes the connection, and returns a response that therefore goes nowhere.
  func cut() async -> Response {
    // It fails where the client was quicker.
    _ = try? await channel.close().get()
    return Response(status: .internalServerError)
  }
}

extension Request {
  /// No connection is held, and no answer delayed, for longer than this.
  private static let holdTimeout = Duration.seconds(600)

  /// Waits until the client goes away or the sandbox stops, ten minutes at most. The body must have been collected.
  @concurrent
  func hold() async {
    _ = try? await body.consumeWithCancellationOnInboundClose { _ in await Self.wait(Self.holdTimeout) }
  }

  /// Waits for a while, or until the sandbox stops.
  @concurrent
  static func wait(_ duration: Duration) async {
    _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
  }
}

extension Response {
  /// An answer with a JSON document.
  static func json(_ document: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: .init(data: document.data())))
  }
}
