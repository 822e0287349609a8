package import Foundation
package import Jobs
internal import Reports

/// Counts on their way into the reports: what one completing transaction counted, and the jobs it completed.
package struct CountEvent: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "metrics.event"

  /// Something that happened in a minute, so often.
  package struct Count: Codable, Sendable, Equatable {
    /// The business; nil where none is known.
    package var business: UUID?
    /// What happened.
    package var metric: String
    /// What distinguishes it further; empty where nothing does.
    package var detail: String
    /// The minute's first instant.
    package var minute: Date
    /// How often.
    package var count: Int
  }

  /// What was counted.
  package var counts: [Count]

  /// Makes the event of a completing transaction, ready to be enqueued; nil where nothing is to be counted. Events of this
  /// kind do not count themselves.
  package static func envelope(of counts: [Counter: Int], _ completed: [FinishedJob], at now: Date) throws
    -> JobEnvelope?
  {
    var all = counts
    for job in completed where job.kind != kind {
      let metric: MetricName = if case .cancelled = job.outcome { .jobCancelled } else { .jobCompleted }
      all[
        Counter(tenant: job.info.tenant, metric: metric.rawValue, detail: job.kind.rawValue, at: now), default: 0] +=
        1
    }
    guard !all.isEmpty else { return nil }
    let event = CountEvent(
      counts: all.map { key, count in
        Count(business: key.tenant, metric: key.metric, detail: key.detail, minute: key.minute, count: count)
      })
    return try JobCodec.envelope(for: event, at: now, tenant: nil, correlationID: completed.first?.info.correlationID)
  }
}

extension FollowUps {
  /// Counts something for the reports, once, if and only if the transaction commits.
  mutating func count(
    _ metric: MetricName, _ detail: String = "", of business: UUID?, at instant: Date, by number: Int = 1
  ) {
    count(metric.rawValue, detail, of: business, at: instant, by: number)
  }
}
