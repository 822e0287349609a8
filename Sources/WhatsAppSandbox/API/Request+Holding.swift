internal import Hummingbird
internal import ServiceLifecycle

extension Request {
  private static let holdTimeout = Duration.seconds(600)

  /// Waits until the client closes the connection or the sandbox stops, at most ten minutes. The body must have been
  /// collected.
  @concurrent
  func hold() async {
    _ = try? await body.consumeWithCancellationOnInboundClose { _ in await Self.wait(Self.holdTimeout) }
  }

  /// Waits for the duration, or until the sandbox stops.
  @concurrent
  static func wait(_ duration: Duration) async {
    _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
  }
}
