package import Foundation

/// A dead job in the index.
package struct DeadLetter: Sendable, Equatable {
  package enum State: String, Sendable, Codable { case open, retried, archived }

  /// The job's run; for an unreadable message, an id made from its body's hash and run 0.
  package var jobRun: JobRun
  /// Nil: the message is unreadable. It can be shown and archived, not retried.
  package var envelope: JobEnvelope?
  /// Why, where and when the job died; when the message carried no such info, one that says so.
  package var deadLetterInfo: DeadLetterInfo
  /// The message's body as it came: the job's JSON, or what could not be read. It may hold personal data.
  package var body: Data
  /// ``DeadLetterIndex/letters(_:)`` returns open letters only.
  package var state: State

  package init(jobRun: JobRun, envelope: JobEnvelope?, deadLetterInfo: DeadLetterInfo, body: Data, state: State = .open)
  {
    self.jobRun = jobRun
    self.envelope = envelope
    self.deadLetterInfo = deadLetterInfo
    self.body = body
    self.state = state
  }
}

/// The open dead letters of one cause and one pool.
package struct DeadLetterGroup: Sendable, Equatable, Codable {
  /// As ``DeadLetterInfo/fingerprint``; selects the letters in a ``DeadLetterFilter``.
  package let fingerprint: String
  package let pool: PoolName
  /// The jobs' kind; `unreadable` for unreadable messages.
  package let kind: String
  package let reason: DeadLetterReason
  /// The detail of the latest letter.
  package let detail: String
  /// At least 1.
  package let count: Int
  /// When the first job died.
  package let firstAt: Date
  /// When the latest job died; groups are sorted by it.
  package let lastAt: Date

  package init(
    fingerprint: String, pool: PoolName, kind: String, reason: DeadLetterReason, detail: String, count: Int,
    firstAt: Date, lastAt: Date
  ) {
    self.fingerprint = fingerprint
    self.pool = pool
    self.kind = kind
    self.reason = reason
    self.detail = detail
    self.count = count
    self.firstAt = firstAt
    self.lastAt = lastAt
  }
}
