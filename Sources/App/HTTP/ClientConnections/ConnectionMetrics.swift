internal import Metrics

/// The metrics of the clients' connections. No label names a client.
package enum ConnectionMetrics {
  static let connections = "vluma_http_connections"
  static let connectionsMax = "vluma_http_connections_max"
  static let closed = "vluma_http_connections_closed_total"
  static let refused = "vluma_http_requests_refused_total"
  static let bodyBytes = "vluma_http_body_bytes"

  /// What each metric measures, by name.
  package static let help = [
    connections: "Clients' connections by what they wait for.",
    connectionsMax: "How many connections clients may have at a time.",
    closed: "Clients' connections that ended, by why.",
    refused: "Requests answered by the connection itself, before any route, by why.",
    bodyBytes: "Bytes of requests' bodies that are held, by the share of the budget.",
  ]

  private static let gauges = Dictionary(
    uniqueKeysWithValues: ConnectionState.Phase.allCases.filter { $0 != .closed }.map {
      ($0, Gauge(label: connections, dimensions: [("state", $0.rawValue)]))
    })
  private static let closedCounters = Dictionary(
    uniqueKeysWithValues: CloseReason.allCases.map {
      ($0, Counter(label: closed, dimensions: [("reason", $0.rawValue)]))
    })
  private static let refusedCounters = Dictionary(
    uniqueKeysWithValues: Refusal.Reason.allCases.map {
      ($0, Counter(label: refused, dimensions: [("reason", $0.rawValue)]))
    })
  private static let bodyGauges = Dictionary(
    uniqueKeysWithValues: BodyBudget.Share.allCases.map {
      ($0, Gauge(label: bodyBytes, dimensions: [("share", $0.rawValue)]))
    })

  static func closed(_ reason: CloseReason) { closedCounters[reason]?.increment() }
  static func refused(_ reason: Refusal.Reason) { refusedCounters[reason]?.increment() }

  static func record(_ counts: [ConnectionState.Phase: Int], _ bodies: BodyBudget) {
    for (phase, gauge) in gauges { gauge.record(counts[phase, default: 0]) }
    for (share, gauge) in bodyGauges { gauge.record(bodies.bytes(share)) }
  }
}

/// Why a connection ended.
enum CloseReason: String, CaseIterable {
  /// The client closed it, or the network did.
  case client
  /// The client asked for one answer only.
  case answered
  /// No request within the idle time.
  case idle
  /// Its place was needed.
  case crowded
  case refused
  /// The client did not take the answer.
  case unread
  /// The answer took too long; this is our fault.
  case unanswered
  /// The process stops.
  case drained
}
