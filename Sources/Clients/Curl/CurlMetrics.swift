internal import Metrics

/// The metrics of the HTTP client.
package enum CurlMetrics {
  private static let requests = "vluma_http_client_requests"

  /// What each metric measures, by name.
  package static let help = [requests: "HTTP requests of this process that are under way."]

  static func requests(_ count: Int) { Gauge(label: requests).record(count) }
}
