package import Foundation
package import Jobs
internal import Reports

/// Counts for the reports: what one transaction counted, and the jobs it completed.
package struct CountEvent: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "metrics.event"

  /// How often something happened in a minute.
  package struct Count: Codable, Sendable, Equatable {
    /// Nil: unknown.
    package var business: UUID?
    package var metric: String
    /// A reason or a kind; may be empty.
    package var detail: String
    /// The minute's first instant.
    package var minute: Date
    package var count: Int
  }

  package var counts: [Count]

  /// The event of a completing transaction; nil: nothing to count. Events of this kind are not counted themselves.
  package static func envelope(
    of counts: [Counter: Int], _ completed: [FinishedJob], at now: Date
  ) throws -> JobEnvelope? {
    var all = counts
    for job in completed where job.kind != kind {
      let metric: MetricName = if case .cancelled = job.outcome { .jobCancelled } else { .jobCompleted }
      let counter = Counter(tenant: job.info.tenant, metric: metric.rawValue, detail: job.kind.rawValue, at: now)
      all[counter, default: 0] += 1
    }
    guard !all.isEmpty else { return nil }
    let event = CountEvent(
      counts: all.map { counter, count in
        Count(
          business: counter.tenant, metric: counter.metric, detail: counter.detail, minute: counter.minute, count: count
        )
      })
    return try JobCodec.envelope(for: event, at: now, tenant: nil, correlationID: completed.first?.info.correlationID)
  }
}
