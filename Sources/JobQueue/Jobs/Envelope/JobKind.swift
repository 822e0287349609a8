/// A kind of job: the stable string that routes it and finds its worker (`booking.validate`). AMQP carries it as
/// `type`.
public struct JobKind: Sendable, Hashable, Codable, RawRepresentable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The kind as text, such as `booking.validate`; queues.yaml routes it by this.
  public let rawValue: String
  /// Takes any text; whether a worker does such jobs is checked against queues.yaml, not here.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// A kind written in the program's own text.
  public init(stringLiteral value: String) { rawValue = value }
  /// The text itself; safe to log, for a kind is a name and holds nothing of a job.
  public var description: String { rawValue }
}

/// A pool of workers, and the queue that feeds it.
public struct PoolName: Sendable, Hashable, Codable, RawRepresentable, ExpressibleByStringLiteral, Comparable,
  CustomStringConvertible
{
  /// The pool's name in queues.yaml, which is also its queue's name and the routing key of its jobs.
  public let rawValue: String
  /// Takes any text; the rules for names are checked where queues.yaml is read.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// A pool written in the program's own text.
  public init(stringLiteral value: String) { rawValue = value }
  /// The text itself, safe to log.
  public var description: String { rawValue }
  /// Orders pools by the text of their names.
  public static func < (left: PoolName, right: PoolName) -> Bool { left.rawValue < right.rawValue }
}
