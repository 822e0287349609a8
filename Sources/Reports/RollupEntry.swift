package import Foundation

/// How often something happened in one bucket.
package struct RollupEntry: Sendable, Equatable, Codable {
  /// The bucket's first instant.
  package let start: Date
  /// A raw value of ``MetricName``, or a name from a newer version of the program.
  package let metric: String
  /// A reason or a kind; may be empty.
  package let detail: String
  package let count: Int

  package init(start: Date, metric: String, detail: String, count: Int) {
    self.start = start
    self.metric = metric
    self.detail = detail
    self.count = count
  }
}
