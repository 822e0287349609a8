internal import ClientLoop
package import Logging

/// A client of one Redis server: soft state only, so it never makes anybody wait long.
///
/// Commands from all callers share one connection and travel together. While the server is away every command fails at
/// once with ``RedisError/unavailable``; the connection comes back by itself.
package final class RedisClient: Sendable {
  private let loop: RedisLoop

  /// Prepares the client and starts connecting in the background.
  ///
  /// - Parameter timeout: how long a command may take from being given to its reply; 500 ms by default.
  package init(_ configuration: RedisConfiguration, timeout: Duration = .milliseconds(500), logger: Logger) throws {
    loop = try RedisLoop(configuration, timeout: timeout, logger: logger)
    loop.start()
  }

  deinit { loop.stop() }

  /// True while a connection stands.
  package var isConnected: Bool { loop.isConnected }

  /// Waits for the first attempt to connect, a few seconds at most; throws
  /// ``RedisError/connectionFailed(server:reason:)`` or ``RedisError/loginRefused(server:reason:)`` where it failed. The
  /// client goes on trying all the same.
  package func firstConnection() async throws { try await loop.firstConnection.wait() }

  /// Sends one command and returns its reply; a reply that is an error is thrown as ``RedisError/refused(_:)``.
  ///
  /// Cancelling the task gives up the wait; the command may still take effect.
  @discardableResult
  package func command(_ arguments: RedisArgument...) async throws -> RedisReply {
    let request = RedisRequest(arguments: arguments.map(\.bytes), deadline: .now + loop.timeout)
    loop.submit(request)
    return try await request.reply.wait()
  }
}

/// One part of a command: text, a number or bytes.
package struct RedisArgument: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral
{
  let bytes: [UInt8]

  /// The text in UTF-8; an interpolated value becomes part of this one argument, whatever it holds.
  package init(stringLiteral value: String) { bytes = Array(value.utf8) }
  /// The number in decimal digits, as Redis takes numbers.
  package init(integerLiteral value: Int) { bytes = Array(String(value).utf8) }
  /// An argument of any text.
  package init(_ text: String) { bytes = Array(text.utf8) }
  /// An argument of any bytes.
  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
}

/// What the server answered.
package enum RedisReply: Sendable, Equatable {
  /// No value.
  case null
  /// A status such as `OK`.
  case status(String)
  case integer(Int)
  case string([UInt8])
  case array([RedisReply])
  /// An error inside an array; a whole reply that is an error is thrown instead.
  case error(String)

  /// The value as text, where it is a string or a status.
  package var text: String? {
    switch self {
    case .string(let bytes): String(decoding: bytes, as: UTF8.self)
    case .status(let text): text
    default: nil
    }
  }
}

/// A command under way: the reply, the deadline or a broken connection ends it, whichever comes first.
struct RedisRequest: Sendable {
  let arguments: [[UInt8]]
  let deadline: ContinuousClock.Instant
  let reply = Promise<RedisReply>()

  func finish(_ result: Result<RedisReply, any Error>) { reply.resolve(result) }
}
