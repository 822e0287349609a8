public import Foundation

/// A job with everything that is known of it without reading its body.
///
/// The coded form, a JSON object with keys in snake_case, leaves the body out: it is stored beside it as bytes.
public struct JobEnvelope: Sendable, Codable, Equatable {
  /// The job's id, the same in all its runs and attempts. AMQP carries it as `message-id`.
  public var id: JobID
  /// 1, or one more for each retry by an operator.
  public var run: Int
  /// The kind of job; it selects the pool and the worker. AMQP carries it as `type`.
  public var kind: JobKind
  /// The version of the body's shape.
  public var schemaVersion: Int
  /// The business the job belongs to; nil: not known yet (a webhook before it is read).
  public var tenant: UUID?
  /// Which attempt this is, from 1. Advisory: it decides the delay and the last attempt, never correctness.
  public var attempt: Int
  /// When the job was first enqueued; retries and snoozes keep it.
  public var enqueuedAt: Date
  /// A job that has not begun at this instant is cancelled; nil: no deadline.
  public var deadline: Date?
  /// The id of the request or job that this job came from in the first place; nil: this job is the first.
  public var correlationID: String?
  /// W3C trace context, `00-<trace>-<span>-<flags>`; nil: not traced.
  public var traceparent: String?
  /// The job's JSON, or the bytes of a ``RawJob``.
  public var body: Data

  /// True: the transaction that wrote the job has counted it as accepted. Jobs that came straight to the broker are
  /// counted by who records or ends them first. Retries and snoozes keep it.
  package var isCounted: Bool {
    get { counted != nil }
    set { counted = newValue ? true : nil }
  }
  /// True or nil, never false: the coded form of a job that is not counted has no such key.
  private var counted: Bool?

  /// An envelope around a body; by default of a new job's first attempt, enqueued now and without a deadline.
  /// ``JobCodec/envelope(for:id:at:tenant:deadline:correlationID:traceparent:)`` makes one from a job.
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

  /// The same job, counted as accepted.
  package var asCounted: JobEnvelope {
    var envelope = self
    envelope.isCounted = true
    return envelope
  }

  private enum CodingKeys: String, CodingKey {
    case id, run, kind
    case schemaVersion = "schema_version"
    case tenant, attempt
    case enqueuedAt = "enqueued_at"
    case deadline
    case correlationID = "correlation_id"
    case traceparent, counted
  }

  /// Reads the coded form and leaves ``body`` empty: the caller puts the stored bytes in.
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
    counted = try values.decodeIfPresent(Bool.self, forKey: .counted) == true ? true : nil
    body = Data()
  }
}
