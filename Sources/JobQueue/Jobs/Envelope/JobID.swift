public import Foundation

/// A job's id: a UUIDv7, so that ids sort by the time they were made (RFC 9562, section 5.7).
public struct JobID: Sendable, Hashable, Codable, CustomStringConvertible, Comparable {
  /// The id as a UUID.
  public let uuid: UUID

  /// A new id, made now.
  public init() { uuid = .version7(at: Date()) }

  /// The id with this UUID, of any version.
  public init(_ uuid: UUID) { self.uuid = uuid }

  /// Reads the usual 36 characters; nil: they are not a UUID.
  public init?(_ text: String) {
    guard let uuid = UUID(uuidString: text) else { return nil }
    self.uuid = uuid
  }

  /// When the id was made, to the millisecond; nil: not a UUIDv7.
  package var createdAt: Date? {
    let bytes = uuid.uuid
    guard bytes.6 >> 4 == 7 else { return nil }
    let milliseconds = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
  }

  /// Reads a string with a UUID's usual 36 characters, in either case; throws `DecodingError` for anything else.
  public init(from decoder: any Decoder) throws { uuid = try UUID(from: decoder) }

  /// Writes the UUID as a string of 36 characters, as Foundation codes UUIDs.
  public func encode(to encoder: any Encoder) throws { try uuid.encode(to: encoder) }

  /// The usual 36 characters in lower case; the form in messages and logs.
  public var description: String { uuid.uuidString.lowercased() }

  /// True when the left id was made in an earlier millisecond; within a millisecond the order is arbitrary but fixed.
  public static func < (left: JobID, right: JobID) -> Bool { left.uuid < right.uuid }
}
