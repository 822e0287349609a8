public import Foundation

/// Why and when a job died. Nothing in it is personal data: `detail` is the safe description of an error, or its type.
public struct DeadLetterInfo: Sendable, Equatable, Codable {
  /// The engine's verdict. Messages and the index carry its raw value.
  public var reason: DeadLetterReason
  /// What happened, for the operator; at most ``maxDetailLength`` characters.
  public var detail: String
  /// Groups deaths of one cause: kind, reason and the error's type, hashed.
  public var fingerprint: String
  /// The pool the job died in, whose dead letters the message is among.
  public var pool: PoolName
  /// The number of the attempt it died in, from 1; 0 where that is not known.
  public var attempts: Int
  /// When it was declared dead. A message carries it to the millisecond.
  public var at: Date

  /// Longer details are cut.
  public static let maxDetailLength = 500

  /// Certifies a death; the fingerprint is made of kind, reason and `cause` (an error's type, say).
  public init(
    reason: DeadLetterReason, detail: String, cause: String, kind: String, pool: PoolName, attempts: Int, at: Date
  ) {
    self.reason = reason
    self.detail = String(detail.prefix(Self.maxDetailLength))
    self.pool = pool
    self.attempts = attempts
    self.at = at
    // FNV-1a, 64 bits: short, stable across processes, and nothing secret depends on it.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(kind)|\(reason.rawValue)|\(cause)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    fingerprint = String(hash, radix: 16)
  }

  /// Restores the info that came with a message.
  public init(reason: DeadLetterReason, detail: String, fingerprint: String, pool: PoolName, attempts: Int, at: Date) {
    self.reason = reason
    self.detail = detail
    self.fingerprint = fingerprint
    self.pool = pool
    self.attempts = attempts
    self.at = at
  }
}
