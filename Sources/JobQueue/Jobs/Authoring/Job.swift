public import Foundation

/// A unit of work that can wait in a queue: a value with a stable kind.
///
/// Its JSON is the message's body. Add fields as optionals; when an old worker could not understand the new shape,
/// raise ``schemaVersion``: a worker refuses versions newer than its own, and the job is dead with that reason until
/// the worker is updated.
public protocol Job: Codable, Sendable {
  /// The kind, unique in the platform and never changed.
  static var kind: JobKind { get }
  /// The shape's version, 1 by default.
  static var schemaVersion: Int { get }
  /// Whose part of the pool's rate limit the job takes; nil: jobs of the pool share one. An id, no personal data.
  var rateKey: String? { get }
  /// An attempt must be given at least so long; `vluma check` holds queues.yaml to it.
  static var minimumTimeout: Duration { get }
}

extension Job {
  /// 1, for a job whose shape never changed in a way that older workers could not read.
  public static var schemaVersion: Int { 1 }
  /// Nil, for a job that shares its pool's rate limit with all others.
  public var rateKey: String? { nil }
  /// Zero, for a job that is content with any timeout.
  public static var minimumTimeout: Duration { .zero }
}

/// A job whose body is not JSON of ours but somebody else's bytes, kept as they came: a provider's webhook.
public protocol RawJob: Job {
  /// The bytes, as they are queued.
  var body: Data { get }
  /// Takes the bytes; whether they can be read is the worker's affair.
  init(body: Data)
}
