internal import Metrics

/// Names of the HTTP server's metrics; labels never hold values of a request.
package enum HTTPMetrics {
  private static let refused = "vluma_http_requests_refused_total"

  /// What each metric measures, by name.
  package static let help = [refused: "Requests refused at once because a limit was reached, by limit."]

  static func refused(by limit: String) { Counter(label: refused, dimensions: [("limit", limit)]).increment() }
}
