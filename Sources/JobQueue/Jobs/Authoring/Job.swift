public import Foundation

/// A unit of work that a queue can hold: a value with a stable kind.
///
/// Its JSON is the message's body. Add fields as optionals. Raise ``schemaVersion`` when an old worker could not
/// understand the new shape: a worker dead-letters jobs of a newer version than its own, and they can be retried once
/// it is updated.
public protocol Job: Codable, Sendable {
  /// The kind, unique in the platform and never changed.
  static var kind: JobKind { get }
  /// The version of the JSON's shape; 1 by default.
  static var schemaVersion: Int { get }
  /// The key under which the job counts against its pool's rate limit; nil: all jobs of the pool without a key share
  /// one limit. Use an id, never personal data.
  var rateKey: String? { get }
  /// The shortest timeout that an attempt can work with; `vluma check` refuses a queues.yaml that sets less.
  static var minimumTimeout: Duration { get }
}

extension Job {
  /// 1: the shape has never changed in a way that an older worker cannot read.
  public static var schemaVersion: Int { 1 }
  /// Nil: the job shares its pool's rate limit with all others.
  public var rateKey: String? { nil }
  /// Zero: any timeout will do.
  public static var minimumTimeout: Duration { .zero }
}

/// A job whose body is kept byte for byte instead of being coded as JSON, such as a provider's webhook.
public protocol RawJob: Job {
  /// The bytes, as they are queued.
  var body: Data { get }
  /// Takes any bytes; whether they can be read is for the worker to find out.
  init(body: Data)
}
