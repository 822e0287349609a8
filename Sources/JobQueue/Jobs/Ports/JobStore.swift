package import Foundation

/// A job as a completing transaction knows it.
package struct JobReceipt: Sendable, Equatable {
  /// The run that is completed. There is at most one receipt for it, so its effects happen once.
  package let jobRun: JobRun
  /// The job's kind, kept with the receipt for whoever asks what was done.
  package let kind: JobKind
  /// The pool that worked on it, kept likewise.
  package let pool: PoolName

  /// Names what a receipt is to be written for; nothing is written yet.
  package init(jobRun: JobRun, kind: JobKind, pool: PoolName) {
    self.jobRun = jobRun
    self.kind = kind
    self.pool = pool
  }
}

/// How a completing transaction ends for its jobs.
package struct Completion: Sendable {
  /// Jobs that are not done after all: their receipts go again (snoozed ones of a batch).
  package var snoozed: [JobRun] = []
  /// Jobs whose receipt says cancelled, with the reason.
  package var cancelled: [JobRun: String] = [:]
  /// Jobs that follow.
  package var followUps: [RoutedFollowUp] = []
  /// True where everything is to be undone.
  package var rollsBack = false

  /// A completion by which every job is done and nothing follows.
  package init() {}
}

/// A job that follows, with the pool its kind is routed to.
package struct RoutedFollowUp: Sendable {
  /// The job with its body, a run of its own: it is not the job it follows from.
  package let envelope: JobEnvelope
  /// The pool whose queue it goes to.
  package let pool: PoolName
  /// When it is to be enqueued; nil: right after the commit.
  package let dueAt: Date?

  /// Routes a job; the pool must be one that takes its kind, which is not checked here.
  package init(envelope: JobEnvelope, pool: PoolName, dueAt: Date?) {
    self.envelope = envelope
    self.pool = pool
    self.dueAt = dueAt
  }
}

/// A job that waits in the outbox to be enqueued.
package struct OutboxEntry: Sendable {
  /// The job with its body, as it is to be published.
  package let envelope: JobEnvelope
  /// The pool whose queue it goes to.
  package let pool: PoolName

  /// Made by the store's adapters from what was committed.
  package init(envelope: JobEnvelope, pool: PoolName) {
    self.envelope = envelope
    self.pool = pool
  }
}

/// What stands between the engine and the store; adapters translate their own errors into these.
package enum JobStoreError: Error, Equatable, CustomStringConvertible {
  /// The store cannot be reached: nothing happened, and it is no fault of the job.
  case unavailable(String)
  /// The commit may or may not have happened: run the job again, its receipt decides.
  case inDoubt
  /// The transaction lost against another; the same may succeed at once.
  case contention

  /// A sentence that is safe to log, as long as the adapter's own words for ``unavailable(_:)`` are.
  package var description: String {
    switch self {
    case .unavailable(let why): "the store cannot be reached: \(why)"
    case .inDoubt: "it is unknown whether the transaction was committed"
    case .contention: "the transaction lost against another one"
    }
  }
}

/// What the store knows of a run that came back.
package struct RunHistory: Sendable, Equatable {
  /// It has its receipt: whatever the outcome, it must not be done again.
  package var hasReceipt: Bool
  /// How many starts of it were noted and not taken back: processes may have died of it.
  package var starts: Int
  /// How long ago the last of these was, by the store's clock; nil where there is none.
  package var timeSinceLastStart: Duration?

  /// By default of a run the store has never heard of.
  package init(hasReceipt: Bool = false, starts: Int = 0, timeSinceLastStart: Duration? = nil) {
    self.hasReceipt = hasReceipt
    self.starts = starts
    self.timeSinceLastStart = timeSinceLastStart
  }
}

/// The port to the store: receipts, outbox, scheduled jobs and start markers.
package protocol JobStore<Transaction>: Sendable {
  /// What workers' effects go through.
  associatedtype Transaction: Sendable

  /// Runs a completing transaction.
  ///
  /// Receipts are written first. `body` gets those jobs that had none before, and does not run where none is left. What
  /// `body` throws rolls back and is thrown on; troubles of the store itself are thrown as ``JobStoreError``.
  ///
  /// - Returns: the outbox entries that were committed, for the caller to enqueue at once.
  func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (Transaction, Set<JobRun>) async throws -> Completion
  ) async throws -> [OutboxEntry]

  /// Runs a transaction without receipts, in which a worker notes what it is about to do outside of the store. It may
  /// happen again when the job is done again. Troubles of the store itself are thrown as ``JobStoreError``.
  func withTransaction(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (Transaction) async throws -> Void
  ) async throws

  /// The store's clock, by which all nodes agree on what is late: a node's own may be wrong.
  func now() async throws -> Date

  /// What became of earlier deliveries of the run.
  func history(of job: JobRun) async throws -> RunHistory

  /// Forgets outbox entries that the broker holds.
  func deleteFromOutbox(_ jobs: [JobRun]) async throws
  /// Hands entries older than `age` to `publish` and forgets those it returns. Entries another node is handing over are
  /// left out.
  ///
  /// - Returns: how many entries were kept by the broker and forgotten here.
  func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int

  /// Keeps a job for so long by the store's clock, for a node's may be wrong; a second time for the same run replaces
  /// the first.
  func schedule(_ envelope: JobEnvelope, pool: PoolName, for pause: Duration) async throws
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
