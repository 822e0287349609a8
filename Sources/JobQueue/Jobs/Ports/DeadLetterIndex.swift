package import Foundation

/// A dead job as the dead letters' index keeps it.
package struct DeadLetter: Sendable, Equatable {
  /// The job's run; for an unreadable message, an id made from its body's hash and run 0.
  package var jobRun: JobRun
  /// Nil for a message that could not be read: it can be looked at and archived, not retried.
  package var envelope: JobEnvelope?
  /// Why, where and when the job died; where the message carried no such info, one that says so.
  package var deadLetterInfo: DeadLetterInfo
  /// The message's body as it came: the job's JSON, or whatever could not be read. It may hold personal data.
  package var body: Data
  /// Whether an operator has dealt with it; ``DeadLetterIndex/letters(_:)`` gives out open ones only.
  package var state: State

  /// What the operator has done about it.
  package enum State: String, Sendable, Codable { case open, retried, archived }

  /// Puts a letter together, open unless said otherwise. Without an envelope the letter can never be retried.
  package init(jobRun: JobRun, envelope: JobEnvelope?, deadLetterInfo: DeadLetterInfo, body: Data, state: State = .open)
  {
    self.jobRun = jobRun
    self.envelope = envelope
    self.deadLetterInfo = deadLetterInfo
    self.body = body
    self.state = state
  }
}

/// Deaths of one cause.
package struct DeadLetterGroup: Sendable, Equatable, Codable {
  /// What the deaths have in common, as ``DeadLetterInfo/fingerprint``; it selects them in a ``DeadLetterFilter``.
  package let fingerprint: String
  /// The pool they died in. Deaths of one fingerprint in two pools are two groups.
  package let pool: PoolName
  /// The jobs' kind; `unreadable` for messages that no job could be read from.
  package let kind: String
  /// Why they died, the same for all of them.
  package let reason: DeadLetterReason
  /// The detail of the latest death.
  package let detail: String
  /// How many open letters the group has, at least 1.
  package let count: Int
  /// When the first of them died.
  package let firstAt: Date
  /// When the latest of them died; the groups are listed by it.
  package let lastAt: Date

  /// Puts together what the index counted; nothing is checked.
  package init(
    fingerprint: String, pool: PoolName, kind: String, reason: DeadLetterReason, detail: String, count: Int,
    firstAt: Date,
    lastAt: Date
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

/// Which dead letters are meant; all conditions that are set must hold.
package struct DeadLetterFilter: Sendable {
  /// Only letters that died in this pool; nil: in any.
  package var pool: PoolName?
  /// Only letters of this cause, as ``DeadLetterGroup/fingerprint``; nil: of any.
  package var fingerprint: String?
  /// Only these jobs, all their runs; nil: any, an empty list: none.
  package var ids: [JobID]?
  /// At most this many.
  package var limit: Int

  /// A filter that lets every letter through, at most 100 of them, except for what is said here.
  package init(pool: PoolName? = nil, fingerprint: String? = nil, ids: [JobID]? = nil, limit: Int = 100) {
    self.pool = pool
    self.fingerprint = fingerprint
    self.ids = ids
    self.limit = limit
  }
}

/// What a retry of dead letters did.
package struct RedriveResult: Sendable, Equatable, Codable {
  /// Jobs that were enqueued again as their next run.
  package var retried = 0
  /// Jobs left alone: unreadable, done in another run, or no longer open.
  package var refused = 0

  /// Counts of a retry; both are 0 where no letter was meant.
  package init(retried: Int = 0, refused: Int = 0) {
    self.retried = retried
    self.refused = refused
  }
}

/// The port to the dead letters' index.
package protocol DeadLetterIndex: Sendable {
  /// Writes letters and their receipts of death together; a letter whose job was done after all is dropped. Doing it
  /// again changes nothing.
  func record(_ letters: [DeadLetter]) async throws
  /// Open letters by cause, latest first.
  func groups() async throws -> [DeadLetterGroup]
  /// Open letters, latest first.
  func letters(_ filter: DeadLetterFilter) async throws -> [DeadLetter]
  /// Enqueues open letters again, each as its next run; `who` goes into the audit.
  func retry(_ filter: DeadLetterFilter, by who: String) async throws -> RedriveResult
  /// Gives open letters up; returns how many. `who` goes into the audit.
  func archive(_ filter: DeadLetterFilter, by who: String) async throws -> Int
}
