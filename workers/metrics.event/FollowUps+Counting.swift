internal import Foundation
internal import Jobs
internal import Reports

extension FollowUps {
  /// Counts something for the reports, once, if the transaction commits.
  mutating func count(
    _ metric: MetricName, _ detail: String = "", of business: UUID?, at instant: Date, by number: Int = 1
  ) {
    count(metric.rawValue, detail, of: business, at: instant, by: number)
  }
}
