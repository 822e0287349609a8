internal import ClientLoop
package import Logging

/// A client of one Redis server, for soft state only: no caller waits longer than the timeout.
///
/// The commands of all callers share one connection and are pipelined. While the server is unavailable every command
/// fails at once with ``RedisError/unavailable``; the client reconnects by itself.
package final class RedisClient: Sendable {
  private let loop: RedisLoop

  /// Starts connecting in the background.
  ///
  /// - Parameter timeout: how long a command may take until its reply; 500 ms by default.
  package init(_ configuration: RedisConfiguration, timeout: Duration = .milliseconds(500), logger: Logger) throws {
    loop = try RedisLoop(configuration, timeout: timeout, logger: logger)
    loop.start()
  }

  deinit { loop.stop() }

  package var isConnected: Bool { loop.isConnected }

  /// Waits for the first attempt to connect, a few seconds at most; throws its error, such as
  /// ``RedisError/connectionFailed(server:reason:)`` or ``RedisError/loginRefused(server:reason:)``. The client keeps
  /// trying after an error too.
  package func firstConnection() async throws { try await loop.firstConnection.wait() }

  /// Sends one command and returns its reply; a reply that is an error is thrown as ``RedisError/refused(_:)``.
  ///
  /// Cancelling the task ends the wait; the command may still take effect.
  @discardableResult
  package func command(_ arguments: RedisArgument...) async throws -> RedisReply {
    let request = RedisRequest(arguments: arguments.map(\.bytes), deadline: .now + loop.timeout)
    loop.submit(request)
    return try await request.reply.wait()
  }
}
