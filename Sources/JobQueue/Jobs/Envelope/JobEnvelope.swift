public import Foundation

/// A job on its way: what is known of it without reading its body.
///
/// Coded, it is without its body, which is stored beside it as bytes.
public struct JobEnvelope: Sendable, Codable, Equatable {
  /// The job's identity, the same in all its runs and attempts. AMQP carries it as `message-id`.
  public var id: JobID
  /// 1, or one more for each retry by an operator.
  public var run: Int
  /// What the job is; it finds the pool and the worker. AMQP carries it as `type`.
  public var kind: JobKind
  /// The version of the body's shape.
  public var schemaVersion: Int
  /// The business the job belongs to; nil where it cannot be known yet (a webhook before it is read).
  public var tenant: UUID?
  /// Which attempt this is, from 1. Advisory: it drives backoff and giving up, never correctness.
  public var attempt: Int
  /// When the job was first enqueued; kept through retries.
  public var enqueuedAt: Date
  /// After this instant the job is cancelled instead of being worked on; nil: never.
  public var deadline: Date?
  /// What the job came from, for tracing a thing's story: the id of the request or job before it.
  public var correlationID: String?
  /// W3C trace context, `00-<trace>-<span>-<flags>`.
  public var traceparent: String?
  /// The job's JSON. Opaque to everything but ``JobCodec``.
  public var body: Data

  /// Puts an envelope together; the defaults are those of a fresh job's first attempt, enqueued now and without a
  /// deadline. ``JobCodec`` makes one from a job.
  public init(
    id: JobID = JobID(), run: Int = 1, kind: JobKind, schemaVersion: Int = 1, tenant: UUID? = nil, attempt: Int = 1,
    enqueuedAt: Date = Date(), deadline: Date? = nil, correlationID: String? = nil, traceparent: String? = nil,
    body: Data
  ) {
    self.id = id
    self.run = run
    self.kind = kind
    self.schemaVersion = schemaVersion
    self.tenant = tenant
    self.attempt = attempt
    self.enqueuedAt = enqueuedAt
    self.deadline = deadline
    self.correlationID = correlationID
    self.traceparent = traceparent
    self.body = body
  }

  /// The job and its run.
  public var jobRun: JobRun { JobRun(id: id, run: run) }

  private enum CodingKeys: String, CodingKey {
    case id, run, kind, schemaVersion, tenant, attempt, enqueuedAt, deadline, correlationID, traceparent
  }

  /// Reads the coded form, an object with a field for each property but ``body``: that is empty then, and whoever reads
  /// the envelope puts the stored bytes in.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(JobID.self, forKey: .id)
    run = try values.decode(Int.self, forKey: .run)
    kind = try values.decode(JobKind.self, forKey: .kind)
    schemaVersion = try values.decode(Int.self, forKey: .schemaVersion)
    tenant = try values.decodeIfPresent(UUID.self, forKey: .tenant)
    attempt = try values.decode(Int.self, forKey: .attempt)
    enqueuedAt = try values.decode(Date.self, forKey: .enqueuedAt)
    deadline = try values.decodeIfPresent(Date.self, forKey: .deadline)
    correlationID = try values.decodeIfPresent(String.self, forKey: .correlationID)
    traceparent = try values.decodeIfPresent(String.self, forKey: .traceparent)
    body = Data()
  }
}
