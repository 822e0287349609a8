internal import Metrics

/// Names of the workers' metrics; labels never hold ids.
package enum WorkerMetrics {
  private static let unreadable = "vluma_webhooks_unreadable_total"

  /// What each metric measures, by name.
  package static let help = [
    unreadable: "Parts of signed webhooks that were stored and not understood: not JSON, or of another shape."
  ]

  /// - Parameter field: of the event that it was stored as.
  static func unreadable(_ field: String) {
    Counter(label: unreadable, dimensions: [("reason", field)]).increment()
  }
}
