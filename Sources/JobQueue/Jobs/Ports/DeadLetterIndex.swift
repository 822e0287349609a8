public import Foundation

/// A dead job as the dead letters' index keeps it.
public struct DeadLetter: Sendable, Equatable {
  /// The job's run; for an unreadable message, an id made from its body's hash and run 0.
  public var jobRun: JobRun
  /// Nil for a message that could not be read: it can be looked at and archived, not retried.
  public var envelope: JobEnvelope?
  /// Why, where and when the job died; where the message carried no such info, one that says so.
  public var deadLetterInfo: DeadLetterInfo
  /// The message's body as it came: the job's JSON, or whatever could not be read. It may hold personal data.
  public var body: Data
  /// Whether an operator has dealt with it; ``DeadLetterIndex/letters(_:)`` gives out open ones only.
  public var state: State

  /// What the operator has done about it.
  public enum State: String, Sendable, Codable { case open, retried, archived }

  /// Puts a letter together, open unless said otherwise. Without an envelope the letter can never be retried.
  public init(jobRun: JobRun, envelope: JobEnvelope?, deadLetterInfo: DeadLetterInfo, body: Data, state: State = .open)
  {
    self.jobRun = jobRun
    self.envelope = envelope
    self.deadLetterInfo = deadLetterInfo
    self.body = body
    self.state = state
  }
}

/// Deaths of one cause.
public struct DeadLetterGroup: Sendable, Equatable, Codable {
  /// What the deaths have in common, as ``DeadLetterInfo/fingerprint``; it selects them in a ``DeadLetterFilter``.
  public let fingerprint: String
  /// The pool they died in. Deaths of one fingerprint in two pools are two groups.
  public let pool: PoolName
  /// The jobs' kind; `unreadable` for messages that no job could be read from.
  public let kind: String
  /// Why they died, the same for all of them.
  public let reason: DeadLetterReason
  /// The detail of the latest death.
  public let detail: String
  /// How many open letters the group has, at least 1.
  public let count: Int
  /// When the first of them died.
  public let firstAt: Date
  /// When the latest of them died; the groups are listed by it.
  public let lastAt: Date

  /// Puts together what the index counted; nothing is checked.
  public init(
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
public struct DeadLetterFilter: Sendable {
  /// Only letters that died in this pool; nil: in any.
  public var pool: PoolName?
  /// Only letters of this cause, as ``DeadLetterGroup/fingerprint``; nil: of any.
  public var fingerprint: String?
  /// Only these jobs, all their runs; nil: any, an empty list: none.
  public var ids: [JobID]?
  /// At most this many.
  public var limit: Int

  /// A filter that lets every letter through, at most 100 of them, except for what is said here.
  public init(pool: PoolName? = nil, fingerprint: String? = nil, ids: [JobID]? = nil, limit: Int = 100) {
    self.pool = pool
    self.fingerprint = fingerprint
    self.ids = ids
    self.limit = limit
  }
}

/// What a retry of dead letters did.
public struct RedriveResult: Sendable, Equatable, Codable {
  /// Jobs that were enqueued again as their next run.
  public var retried = 0
  /// Jobs left alone: unreadable, done in another run, or no longer open.
  public var refused = 0

  /// Counts of a retry; both are 0 where no letter was meant.
  public init(retried: Int = 0, refused: Int = 0) {
    self.retried = retried
    self.refused = refused
  }
}

/// The port to the dead letters' index.
public protocol DeadLetterIndex: Sendable {
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
