import Foundation
import Jobs

/// A dead letter as JSON. The body is left out unless it is set: it may hold personal data.
struct DeadLetterDocument: Encodable {
  let jobId: String
  let run: Int
  @NullIfUnknown var kind: String?
  let pool: String
  let reason: DeadLetterReason
  let detail: String
  let fingerprint: String
  let attempts: Int
  let diedAt: Date
  @NullIfUnknown var enqueuedAt: Date?
  var body: String?

  init(_ letter: DeadLetter) {
    let info = letter.deadLetterInfo
    jobId = "\(letter.jobRun.id)"
    run = letter.jobRun.run
    kind = letter.envelope?.kind.rawValue
    pool = info.pool.rawValue
    reason = info.reason
    detail = info.detail
    fingerprint = info.fingerprint
    attempts = info.attempts
    diedAt = info.at
    enqueuedAt = letter.envelope?.enqueuedAt
  }
}
