internal import CRabbitMQ

/// The statuses of librabbitmq's functions, in words that are safe to show.
enum AMQPStatus {
  /// librabbitmq's words, and OpenSSL's behind them where the status says no more than that TLS failed.
  static func words(_ status: Int32) -> String {
    let words = String(cString: amqp_error_string2(status))
    guard status == AMQP_STATUS_SSL_ERROR.rawValue, let more = lastOfOpenSSL else { return words }
    return "\(words): \(more)"
  }

  /// What OpenSSL last complained of on this thread; nil where it did not.
  static var lastOfOpenSSL: String? {
    guard let reason = ERR_reason_error_string(ERR_peek_last_error()) else { return nil }
    return String(cString: reason)
  }
}
