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
}

extension Job {
  /// 1, for a job whose shape never changed in a way that older workers could not read.
  public static var schemaVersion: Int { 1 }
}
