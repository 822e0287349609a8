package import Foundation

/// Why a job is dead. The raw values are stored and carried by messages.
package enum DeadLetterReason: RawRepresentable, Sendable, Hashable, Codable, CaseIterable {
  /// The last attempt failed.
  case attemptsExhausted
  /// An attempt failed with an error that no other attempt can avoid.
  case permanentError
  /// A poison job: `max_crashes` processes died while they worked on it.
  case crashed
  /// No worker of the pool does jobs of the kind.
  case unknownKind
  /// The message's properties or its body cannot be read.
  case unreadable
  /// The body is larger than ``JobCodec/maxBodyBytes``.
  case oversize
  /// The body is of a newer schema version than the worker's.
  case newerSchema
  /// A reason that a newer release has written; the text is kept as it is.
  case unknown(String)

  /// All reasons that this release gives.
  package static let allCases: [DeadLetterReason] = [
    .attemptsExhausted, .permanentError, .crashed, .unknownKind, .unreadable, .oversize, .newerSchema,
  ]

  package init(rawValue: String) {
    self = Self.allCases.first { $0.rawValue == rawValue } ?? .unknown(rawValue)
  }

  package var rawValue: String {
    switch self {
    case .attemptsExhausted: "attempts_exhausted"
    case .permanentError: "permanent_error"
    case .crashed: "crashed"
    case .unknownKind: "unknown_kind"
    case .unreadable: "unreadable"
    case .oversize: "oversize"
    case .newerSchema: "newer_schema"
    case .unknown(let text): text
    }
  }
}

/// Why and when a job became a dead letter. It holds no personal data: `detail` is the safe description of an error, or
/// its type.
package struct DeadLetterInfo: Sendable, Equatable, Codable {
  package var reason: DeadLetterReason
  /// What happened, for the operator; at most ``maxDetailLength`` characters and ``maxDetailBytes``.
  package var detail: String
  /// A hash of kind, reason and the error's type: dead letters of one cause have the same.
  package var fingerprint: String
  /// The pool the job was in, whose dead letters the message is among.
  package var pool: PoolName
  /// The number of the last attempt, from 1; 0: not known.
  package var attempts: Int
  /// A message carries it to the millisecond.
  package var at: Date

  /// Longer details are cut.
  package static let maxDetailLength = 500
  /// A character may have any number of combining marks, and a message carries the detail in a frame of limited size.
  package static let maxDetailBytes = 4_000

  /// - Parameter cause: what went wrong, such as the error's type; part of the fingerprint.
  package init(
    reason: DeadLetterReason, detail: String, cause: String, kind: String, pool: PoolName, attempts: Int, at: Date
  ) {
    self.reason = reason
    self.detail = Self.cut(detail)
    self.pool = pool
    self.attempts = attempts
    self.at = at
    var digest = ContentDigest()
    for field in [kind, reason.rawValue, cause] { digest.append(field) }
    fingerprint = digest.shortHex
  }

  /// Takes the info that a message or a row holds.
  package init(reason: DeadLetterReason, detail: String, fingerprint: String, pool: PoolName, attempts: Int, at: Date) {
    self.reason = reason
    self.detail = detail
    self.fingerprint = fingerprint
    self.pool = pool
    self.attempts = attempts
    self.at = at
  }

  private static func cut(_ text: String) -> String {
    let characters = text.prefix(maxDetailLength)
    guard characters.utf8.count > maxDetailBytes else { return String(characters) }
    var kept = String.UnicodeScalarView()
    var bytes = 0
    for scalar in characters.unicodeScalars {
      bytes += UTF8.width(scalar)
      if bytes > maxDetailBytes { break }
      kept.append(scalar)
    }
    return String(kept)
  }
}
