internal import CRabbitMQ

/// The statuses of librabbitmq's functions, as text that is safe to show.
enum AMQPStatus {
  /// librabbitmq's text, and OpenSSL's behind it where the status says only that TLS failed.
  static func text(_ status: Int32) -> String {
    let text = String(cString: amqp_error_string2(status))
    guard status == AMQP_STATUS_SSL_ERROR.rawValue, let more = lastOpenSSLError else { return text }
    return "\(text): \(more)"
  }

  /// OpenSSL's last error on this thread; nil: none.
  static var lastOpenSSLError: String? {
    guard let reason = ERR_reason_error_string(ERR_peek_last_error()) else { return nil }
    return String(cString: reason)
  }
}
