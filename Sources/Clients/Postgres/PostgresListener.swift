internal import ClientLoop
package import Logging

/// Listens on channels (`LISTEN`) over a connection of its own; a lost connection is replaced.
///
/// Notifications sent while there was no connection are lost: a user reads the tables at every ``Event/listening``, and
/// polls them as well.
package struct PostgresListener: Sendable {
  /// An event of a listener.
  package enum Event: Sendable, Equatable {
    /// Listening has started, or started again; notifications may have been missed before.
    case listening
    case notification(channel: String, payload: String)
  }

  private let configuration: PostgresConfiguration
  private let channels: [String]
  private let logger: Logger

  /// - Parameter channels: become part of a statement as they are, so they must never be input.
  package init(_ configuration: PostgresConfiguration, channels: [String], logger: Logger) {
    self.configuration = configuration
    self.channels = channels
    self.logger = logger
  }

  /// Listens until the task is cancelled; `handle` is called in order.
  package func run(_ handle: (Event) async -> Void) async {
    // It ends by cancellation only: every other error is retried.
    try? await retrying(
      decide: { error in
        logger.warning("LISTEN connection lost; reconnecting", metadata: ["error": "\(error)"])
        return .retry
      },
      { backoff in
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.run(channels.map { "LISTEN \(unsafe: $0)" })
        backoff.reset()
        await handle(.listening)
        try await deliver(from: connection, to: handle)
      })
  }

  private func deliver(from connection: PostgresConnection, to handle: (Event) async -> Void) async throws {
    try await withTaskCancellationHandler {
      while !Task.isCancelled {
        // A connection without notifications is checked with SELECT 1 every 30 s.
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
