internal import ClientLoop
package import Logging

/// Listens on channels (`LISTEN`) over a connection of its own, which it rebuilds whenever it breaks.
///
/// Notifications sent while it was away are lost, so it says when it (re)connected, and its user looks for itself then:
/// every LISTEN has a poll behind it.
package struct PostgresListener: Sendable {
  /// What the listener tells.
  package enum Event: Sendable, Equatable {
    /// Listening has (re)started; anything may have happened before.
    case listening
    /// Somebody sent a notification.
    case notification(channel: String, payload: String)
  }

  private let configuration: PostgresConfiguration
  private let channels: [String]
  private let logger: Logger

  /// Prepares to listen on the channels; their names are the program's own, never input.
  package init(_ configuration: PostgresConfiguration, channels: [String], logger: Logger) {
    self.configuration = configuration
    self.channels = channels
    self.logger = logger
  }

  /// Listens until the task is cancelled; `handle` is called in order.
  package func run(_ handle: (Event) async -> Void) async {
    var backoff = Backoff()
    while !Task.isCancelled {
      do {
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.run(channels.map { "LISTEN \(unsafe: $0)" })
        backoff.reset()
        await handle(.listening)
        try await deliver(from: connection, to: handle)
      } catch {
        if Task.isCancelled { return }
        logger.warning("listening for notifications was interrupted", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: backoff.next())
      }
    }
  }

  private func deliver(from connection: PostgresConnection, to handle: (Event) async -> Void) async throws {
    try await withTaskCancellationHandler {
      while !Task.isCancelled {
        // Within 30 s a silent connection is asked for a sign of life.
        let received = try await connection.notifications(until: .now + .seconds(30))
        for notification in received {
          await handle(.notification(channel: notification.channel, payload: notification.payload))
        }
        if received.isEmpty, !Task.isCancelled { try await connection.run(["SELECT 1"]) }
      }
    } onCancel: {
      connection.interrupt()
    }
  }
}
