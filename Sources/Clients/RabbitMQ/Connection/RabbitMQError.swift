/// What can go wrong between this process and RabbitMQ. `description` is safe to log.
package enum RabbitMQError: Error, Equatable, Sendable {
  /// The URL cannot be used, or a file that it names cannot be read; the text says why and never repeats the URL.
  case invalidURL(String)
  /// No connection could be made to the server: it cannot be reached, does not answer in time, or its certificate is
  /// refused (TLS).
  case connectionFailed(server: String, reason: String)
  /// The server refused the login or the virtual host.
  case loginRefused(server: String, reason: String)
  /// The connection broke, or the server closed it with this code and text (0 where it just broke).
  case connectionClosed(code: Int, reason: String)
  /// The server closed the channel with this code and text: 404 not found, 406 precondition failed ...
  case channelClosed(code: Int, reason: String)
  /// The server did not answer in time.
  case deadlineExceeded

  /// The AMQP reply code, where the server gave one.
  package var code: Int? {
    switch self {
    case .connectionClosed(let code, _), .channelClosed(let code, _): code
    default: nil
    }
  }

  /// AMQP's code for what the user may not do.
  package static let accessRefused = 403
  /// AMQP's code for an entity that does not exist.
  package static let notFound = 404
  /// AMQP's code for an entity that exists with other arguments.
  package static let preconditionFailed = 406
  /// AMQP's codes of a connection that the broker closed over what it was sent: frame, syntax, command, channel and
  /// unexpected-frame errors, and what is not implemented.
  static let messageFaults: Set<Int> = [501, 502, 503, 504, 505, 540]
}

extension RabbitMQError: CustomStringConvertible {
  /// Safe to log: it names servers and quotes the broker's reply texts, never a URL or a message.
  package var description: String {
    switch self {
    case .invalidURL(let why): "the RabbitMQ URL cannot be used: \(why)"
    case .connectionFailed(let server, let reason): "cannot connect to RabbitMQ at \(server): \(reason)"
    case .loginRefused(let server, let reason): "RabbitMQ at \(server) refused the login: \(reason)"
    case .connectionClosed(let code, let reason):
      "the connection to RabbitMQ was lost: \(reason)" + (code == 0 ? "" : " (\(code))")
    case .channelClosed(let code, let reason): "RabbitMQ closed the channel: \(reason) (\(code))"
    case .deadlineExceeded: "RabbitMQ did not answer in time"
    }
  }
}
