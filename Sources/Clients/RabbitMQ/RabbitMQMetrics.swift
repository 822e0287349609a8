internal import Metrics

/// The metrics of the publishing connection.
package enum RabbitMQMetrics {
  private static let messages = "vluma_rabbitmq_publish_messages"
  private static let bytes = "vluma_rabbitmq_publish_bytes"
  private static let refused = "vluma_rabbitmq_publish_refused_total"

  /// What each metric measures, by name.
  package static let help = [
    messages: "Messages that wait to be written to RabbitMQ, or for its confirm (unconfirmed).",
    bytes: "Bytes of the messages that wait to be written to RabbitMQ, or for its confirm (unconfirmed).",
    refused: "Messages refused because too many were waiting to be written to RabbitMQ.",
  ]

  private static func gauge(_ label: String, _ state: String) -> Gauge {
    Gauge(label: label, dimensions: [("state", state)])
  }

  static func publishing(waiting: (count: Int, bytes: Int), inFlight: (count: Int, bytes: Int)) {
    gauge(messages, "waiting").record(waiting.count)
    gauge(messages, "unconfirmed").record(inFlight.count)
    gauge(bytes, "waiting").record(waiting.bytes)
    gauge(bytes, "unconfirmed").record(inFlight.bytes)
  }

  static func publishRefused(_ count: Int) { Counter(label: refused).increment(by: count) }
}
