public import Foundation

/// What is known of a job besides its value.
public struct JobInfo: Sendable {
  /// Which job, and which run of it.
  public let jobRun: JobRun
  /// The business the job belongs to; nil: not known when it was enqueued.
  public let tenant: UUID?
  /// Which attempt this is, from 1. Advisory: after a crash a number may come twice.
  public let attempt: Int
  /// When the job was first enqueued; retries and snoozes keep it.
  public let enqueuedAt: Date
  /// A job that has not begun at this instant is cancelled; nil: no deadline.
  public let deadline: Date?
  /// The id of the request or job that this job came from in the first place; nil: this job is the first.
  public let correlationID: String?
  /// W3C trace context, `00-<trace>-<span>-<flags>`; nil: not traced.
  public let traceparent: String?

  /// Takes everything but the body from the envelope.
  public init(_ envelope: JobEnvelope) {
    jobRun = envelope.jobRun
    tenant = envelope.tenant
    attempt = envelope.attempt
    enqueuedAt = envelope.enqueuedAt
    deadline = envelope.deadline
    correlationID = envelope.correlationID
    traceparent = envelope.traceparent
  }
}
