public import Foundation

/// A job's identity: a UUIDv7, so that ids sort by the time they were made (RFC 9562, section 5.7).
public struct JobID: Sendable, Hashable, Codable, CustomStringConvertible, Comparable {
  /// The id as a UUID.
  public let uuid: UUID

  /// A fresh id for this instant.
  public init() { uuid = .version7(at: Date()) }

  /// An id that is known already.
  public init(_ uuid: UUID) { self.uuid = uuid }

  /// Reads the usual 36 characters; nil where they are no UUID.
  public init?(_ text: String) {
    guard let uuid = UUID(uuidString: text) else { return nil }
    self.uuid = uuid
  }

  /// When the id was made, to the millisecond; nil where it is no UUIDv7.
  public var createdAt: Date? {
    let bytes = uuid.uuid
    guard bytes.6 >> 4 == 7 else { return nil }
    let milliseconds = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
  }

  /// Reads a string with a UUID's usual 36 characters, in either case; throws where it is none.
  public init(from decoder: any Decoder) throws { uuid = try UUID(from: decoder) }

  /// Writes the UUID as a string of 36 characters, as Foundation codes UUIDs.
  public func encode(to encoder: any Encoder) throws { try uuid.encode(to: encoder) }

  /// The usual 36 characters in lower case; the form in messages and logs.
  public var description: String { uuid.uuidString.lowercased() }

  /// True where the left id was made in an earlier millisecond; within one the order is arbitrary, but always the same.
  public static func < (left: JobID, right: JobID) -> Bool { left.uuid < right.uuid }
}

extension UUID {
  /// A random UUIDv4 (RFC 9562, section 5.4) from the system's random number generator.
  ///
  /// Foundation's parameterless initialiser opens a file for its randomness and returns the same value each time, without an error,
  /// when the process has no file descriptor left. getrandom(2), which Swift's generator calls, needs none.
  public static func version4() -> UUID {
    var generator = SystemRandomNumberGenerator()
    return UUID.random(using: &generator)
  }

  /// A UUIDv7: 48 bits of Unix milliseconds, then randomness.
  public static func version7(at date: Date) -> UUID {
    var bytes = version4().uuid
    let milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1000))
    bytes.0 = UInt8(truncatingIfNeeded: milliseconds >> 40)
    bytes.1 = UInt8(truncatingIfNeeded: milliseconds >> 32)
    bytes.2 = UInt8(truncatingIfNeeded: milliseconds >> 24)
    bytes.3 = UInt8(truncatingIfNeeded: milliseconds >> 16)
    bytes.4 = UInt8(truncatingIfNeeded: milliseconds >> 8)
    bytes.5 = UInt8(truncatingIfNeeded: milliseconds)
    bytes.6 = bytes.6 & 0x0f | 0x70
    bytes.8 = bytes.8 & 0x3f | 0x80
    return UUID(uuid: bytes)
  }
}

/// One run of a job: receipts are kept per run. Run 1 is the first; each retry by an operator is one more.
public struct JobRun: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Which job.
  public let id: JobID
  /// 1 or more.
  public let run: Int

  /// The first run of a job, unless another is named.
  public init(id: JobID, run: Int = 1) {
    self.id = id
    self.run = run
  }

  /// The id alone for run 1, otherwise followed by the run: `<id>#2`. The form in logs and audit rows.
  public var description: String { run == 1 ? "\(id)" : "\(id)#\(run)" }
}
