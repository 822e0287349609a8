public import Foundation

/// What follows from a job: jobs to enqueue and counts for the reports. Both take effect if, and only if, the job's
/// transaction commits.
public struct FollowUps: Sendable {
  /// A job to enqueue.
  public struct Item: Sendable {
    /// The job with its body, under an id of its own. Its kind selects the pool when the transaction completes.
    public let envelope: JobEnvelope
    /// When to enqueue it; nil: at once.
    public let dueAt: Date?
  }

  /// The jobs to enqueue, in the order they were added.
  public private(set) var items: [Item] = []
  /// How often each counter was counted.
  public private(set) var counts: [Counter: Int] = [:]
  private let now: Date

  /// An empty set of follow-ups.
  ///
  /// - Parameter now: the time at which the jobs count as enqueued.
  public init(at now: Date = Date()) { self.now = now }

  /// Enqueues a job after the commit.
  ///
  /// - Parameter cause: the job it follows from; tenant, correlation id and trace are copied from it.
  /// - Parameter tenant: the business; nil: the cause's.
  /// - Parameter dueAt: when to enqueue the job; nil: at once.
  /// - Parameter deadline: a job that has not begun at this instant is cancelled; nil: no deadline.
  /// - Throws: ``JobTooLarge``, and what the job's `Encodable` conformance throws.
  public mutating func enqueue<Work: Job>(
    _ job: Work, from cause: JobInfo, tenant: UUID? = nil, dueAt: Date? = nil, deadline: Date? = nil
  ) throws {
    let envelope = try JobCodec.envelope(
      for: job, at: now, tenant: tenant ?? cause.tenant, deadline: deadline,
      correlationID: cause.correlationID ?? "\(cause.jobRun.id)", traceparent: cause.traceparent)
    items.append(Item(envelope: envelope, dueAt: dueAt))
  }

  /// Enqueues a job that is in its envelope already, at once after the commit. Where its body is too large the attempt
  /// fails with ``JobTooLarge`` when the transaction completes.
  public mutating func enqueue(_ envelope: JobEnvelope) { items.append(Item(envelope: envelope, dueAt: nil)) }

  /// Counts an event for the reports, once if the transaction commits.
  ///
  /// - Parameter instant: when it happened; it may be in the past.
  public mutating func count(
    _ metric: String, _ detail: String = "", of tenant: UUID?, at instant: Date, by number: Int = 1
  ) {
    counts[Counter(tenant: tenant, metric: metric, detail: detail, at: instant), default: 0] += number
  }
}
