/// A kind of job: the stable string that selects its pool and its worker (`booking.validate`).
public struct JobKind: Sendable, Hashable, Codable, RawRepresentable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The kind as text; queues.yaml lists it under its pool.
  public let rawValue: String
  /// Takes any text; it is checked against queues.yaml when the program starts, not here.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// A kind written as a string literal.
  public init(stringLiteral value: String) { rawValue = value }
  /// The text itself; safe to log.
  public var description: String { rawValue }
}
