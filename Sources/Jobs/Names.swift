/// A kind of job: the stable string that routes it and finds its worker (`booking.validate`). AMQP carries it as `type`.
public struct JobKind: Sendable, Hashable, Codable, RawRepresentable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public init(stringLiteral value: String) { rawValue = value }
  public var description: String { rawValue }
}

/// A pool of workers, and the queue that feeds it.
public struct PoolName: Sendable, Hashable, Codable, RawRepresentable, ExpressibleByStringLiteral, Comparable,
  CustomStringConvertible
{
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public init(stringLiteral value: String) { rawValue = value }
  public var description: String { rawValue }
  public static func < (left: PoolName, right: PoolName) -> Bool { left.rawValue < right.rawValue }
}
