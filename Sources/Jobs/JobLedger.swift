public import Foundation

/// A job as a closing transaction knows it.
public struct JobReceipt: Sendable, Equatable {
  /// The run that is closed. There is at most one receipt for it, so its effects happen once.
  public let jobRun: JobRun
  /// The job's kind, kept with the receipt for whoever asks what was done.
  public let kind: JobKind
  /// The pool that worked on it, kept likewise.
  public let pool: PoolName

  /// Names what a receipt is to be written for; nothing is written yet.
  public init(jobRun: JobRun, kind: JobKind, pool: PoolName) {
    self.jobRun = jobRun
    self.kind = kind
    self.pool = pool
  }
}

/// How a closing transaction ends for its jobs.
public struct JobClosing: Sendable {
  /// Jobs that are not done after all: their receipts go again (snoozed ones of a batch).
  public var withdrawn: [JobRun] = []
  /// Jobs whose receipt says discarded, with the reason.
  public var discarded: [JobRun: String] = [:]
  /// Jobs that follow.
  public var followUps: [RoutedFollowUp] = []
  /// True where everything is to be undone.
  public var rollsBack = false

  /// A closing by which every job is done and nothing follows.
  public init() {}
}

/// A job that follows, with the pool its kind is routed to.
public struct RoutedFollowUp: Sendable {
  /// The job with its body, a run of its own: it is not the job it follows from.
  public let envelope: JobEnvelope
  /// The pool whose queue it goes to.
  public let pool: PoolName
  /// When it is to be enqueued; nil: right after the commit.
  public let dueAt: Date?

  /// Routes a job; the pool must be one that takes its kind, which is not checked here.
  public init(envelope: JobEnvelope, pool: PoolName, dueAt: Date?) {
    self.envelope = envelope
    self.pool = pool
    self.dueAt = dueAt
  }
}

/// A job that waits in the outbox to be enqueued.
public struct OutboxEntry: Sendable {
  /// The job with its body, as it is to be published.
  public let envelope: JobEnvelope
  /// The pool whose queue it goes to.
  public let pool: PoolName

  /// Made by the ledger's adapters from what was committed.
  public init(envelope: JobEnvelope, pool: PoolName) {
    self.envelope = envelope
    self.pool = pool
  }
}

/// What stands between the engine and the ledger; adapters translate their own errors into these.
public enum LedgerError: Error, Equatable, CustomStringConvertible {
  /// The ledger cannot be reached: nothing happened, and it is no fault of the job.
  case unavailable(String)
  /// The commit may or may not have happened: run the job again, its receipt decides.
  case inDoubt
  /// The transaction lost against another; the same may succeed at once.
  case contention

  /// A sentence that is safe to log, as long as the adapter's own words for ``unavailable(_:)`` are.
  public var description: String {
    switch self {
    case .unavailable(let why): "the ledger cannot be reached: \(why)"
    case .inDoubt: "it is unknown whether the transaction was committed"
    case .contention: "the transaction lost against another one"
    }
  }
}

/// What the ledger knows of a run that came back.
public struct JobHistory: Sendable, Equatable {
  /// It has its receipt: whatever the outcome, it must not be done again.
  public var isClosed: Bool
  /// How many starts of it were noted and not taken back: processes may have died of it.
  public var starts: Int
  /// How long ago the last of these was, by the ledger's clock; nil where there is none.
  public var sinceLastStart: Duration?

  /// By default of a run the ledger has never heard of.
  public init(isClosed: Bool = false, starts: Int = 0, sinceLastStart: Duration? = nil) {
    self.isClosed = isClosed
    self.starts = starts
    self.sinceLastStart = sinceLastStart
  }
}

/// The port to the ledger: receipts, outbox, delayed jobs and start markers.
public protocol JobLedger<Transaction>: Sendable {
  /// What workers' effects go through.
  associatedtype Transaction: Sendable

  /// Runs a closing transaction.
  ///
  /// Receipts are written first. `body` gets those jobs that had none before, and does not run where none is left. What
  /// `body` throws rolls back and is thrown on; troubles of the ledger itself are thrown as ``LedgerError``.
  ///
  /// - Returns: the outbox entries that were committed, for the caller to enqueue at once.
  func close(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (Transaction, Set<JobRun>) async throws -> JobClosing
  ) async throws -> [OutboxEntry]

  /// Runs a transaction without receipts, in which a worker notes what it is about to do outside of the ledger. It may
  /// happen again when the job is done again. Troubles of the ledger itself are thrown as ``LedgerError``.
  func transact(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (Transaction) async throws -> Void
  ) async throws

  /// The ledger's clock, by which all nodes agree on what is late: a node's own may be wrong.
  func now() async throws -> Date

  /// What became of earlier deliveries of the run.
  func history(of job: JobRun) async throws -> JobHistory

  /// Forgets outbox entries that the broker holds.
  func deleteFromOutbox(_ jobs: [JobRun]) async throws
  /// Hands entries older than `age` to `publish` and forgets those it returns. Entries another node is handing over are
  /// left out.
  ///
  /// - Returns: how many entries were kept by the broker and forgotten here.
  func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int

  /// Keeps a job for so long by the ledger's clock, for a node's may be wrong; a second time for the same run replaces
  /// the first.
  func delay(_ envelope: JobEnvelope, pool: PoolName, for pause: Duration) async throws
  /// Puts a job of a paused kind aside, until its kind is resumed; after six hours it comes to be looked at again.
  func park(_ envelope: JobEnvelope, pool: PoolName) async throws
  /// Lets the pool's parked jobs come due at once, `limit` of them at most, but for those of the kinds that are still
  /// paused.
  ///
  /// - Returns: how many; fewer than `limit` where none is left.
  func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int
  /// Moves due jobs to the outbox, each by one node only, and returns them for the caller to enqueue.
  func releaseDueJobs(limit: Int) async throws -> [OutboxEntry]

  /// Notes that a redelivered job is being started; returns how often that was noted, this time included.
  func markStart(_ job: JobRun, node: String) async throws -> Int
  /// Takes back the notes: the job came to a proper end of an attempt.
  func clearStarts(_ job: JobRun) async throws
}
