/// The name of a pool: the workers for one queue.
public struct PoolName: Sendable, Hashable, Codable, RawRepresentable, ExpressibleByStringLiteral, Comparable,
  CustomStringConvertible
{
  /// The pool's name in queues.yaml, which is also the name of its queue.
  public let rawValue: String
  /// Takes any text; the rules for names are checked where queues.yaml is read.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// A pool's name written as a string literal.
  public init(stringLiteral value: String) { rawValue = value }
  /// The text itself, safe to log.
  public var description: String { rawValue }
  /// Orders pools by the text of their names.
  public static func < (left: PoolName, right: PoolName) -> Bool { left.rawValue < right.rawValue }
}
