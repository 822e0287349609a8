internal import Metrics

/// The metrics of the connection to Redis.
package enum RedisMetrics {
  private static let connected = "vluma_redis_connected"
  private static let refused = "vluma_redis_refused_commands_total"

  /// What each metric measures, by name.
  package static let help = [
    connected: "1 while there is a connection to Redis, else 0: everything works without it.",
    refused: "Commands that Redis refused because of its own state, by the code of its reply.",
  ]

  static func connected(_ isConnected: Bool) { Gauge(label: connected).record(isConnected ? 1 : 0) }

  static func refused(code: String) { Counter(label: refused, dimensions: [("code", code)]).increment() }
}
