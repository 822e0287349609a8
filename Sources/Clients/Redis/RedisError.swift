/// An error of the Redis client. `description` is safe to log.
package enum RedisError: Error, Equatable, CustomStringConvertible {
  /// The URL cannot be used; the text says why.
  case invalidURL(String)
  /// The named server could not be reached, or is not ready yet; the reason is hiredis' text or the reply's error code.
  case connectionFailed(server: String, reason: String)
  /// The named server refused user, password or database; of its reply only the error code is kept.
  case loginRefused(server: String, reason: String)
  /// There is no connection now, or too many commands wait for replies; the command was not sent.
  case unavailable
  /// The connection broke after the command was sent: it may or may not have taken effect.
  case connectionLost
  /// No reply came in time: the command may or may not have taken effect.
  case deadlineExceeded
  /// The server refused the command; only the error code is kept, for the rest of its reply may quote arguments.
  case refused(String)
  /// The server's bytes are not replies of Redis; the connection was closed, and the command may have taken effect.
  case protocolError(String)
  /// hiredis is out of memory; the connection was closed, and the command may have taken effect.
  case client(String)

  /// Safe to log: it holds no argument of a command, and of the URL at most the scheme and the path.
  package var description: String {
    switch self {
    case .invalidURL(let why): "the Redis URL cannot be used: \(why)"
    case .connectionFailed(let server, let reason): "cannot connect to Redis at \(server): \(reason)"
    case .loginRefused(let server, let reason): "Redis at \(server) refused the login: \(reason)"
    case .unavailable: "Redis is not connected"
    case .connectionLost: "the connection to Redis was lost"
    case .deadlineExceeded: "Redis did not answer in time"
    case .refused(let code): "Redis refused a command (\(code))"
    case .protocolError(let what): "unexpected reply from Redis: \(what)"
    case .client(let what): "the Redis client failed: \(what)"
    }
  }
}
