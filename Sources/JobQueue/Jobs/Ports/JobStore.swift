package import Foundation

/// The port to the store: receipts, outbox, scheduled jobs and start markers.
package protocol JobStore<Transaction>: Sendable {
  /// The transaction that workers write their effects through.
  associatedtype Transaction: Sendable

  /// Runs a completing transaction.
  ///
  /// Receipts are written first. `body` gets the runs that had no receipt, and does not run when none is left. What
  /// `body` throws rolls the transaction back and is rethrown; failures of the store itself are thrown as
  /// ``JobStoreError``.
  ///
  /// - Returns: the completion that `body` returned, once it was committed or, where it says so, rolled back; nil where
  ///   no run was open.
  func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (Transaction, Set<JobRun>) async throws -> Completion
  ) async throws -> Completion?

  /// Runs a transaction without receipts, in which a worker records what it is about to do outside of the store. It
  /// runs again when the job runs again. Failures of the store itself are thrown as ``JobStoreError``.
  func withTransaction<Value: Sendable>(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (Transaction) async throws -> Value
  ) async throws -> Value

  /// The store's clock. All nodes use it to decide what is late, because a node's own clock may be wrong.
  func now() async throws -> Date

  /// What earlier deliveries of the run left behind.
  func history(of job: JobRun) async throws -> RunHistory

  /// Records jobs that came straight to the broker, which holds them: each is findable, and counted as accepted, until
  /// it ends. A run that has ended, or is recorded already, is left as it is.
  ///
  /// - Returns: how many were recorded.
  func recordAccepted(_ jobs: [AcceptedJob]) async throws -> Int
  /// How many runs were accepted and have ended since the store was set up, by pool; each once, whatever copies there
  /// were. Also removes records of runs that ended while they were being recorded.
  ///
  /// - Parameter thoroughly: also records that are older than minutes, which costs more.
  func sweepAccepted(thoroughly: Bool) async throws -> [PoolName: JobFlow]

  /// Deletes outbox entries that the broker holds. Those that have not ended are recorded as accepted.
  func deleteFromOutbox(_ jobs: [JobRun]) async throws
  /// Hands entries older than `age` to `publish` and deletes those it returns, as ``deleteFromOutbox(_:)`` does.
  /// Entries that another node's relay has are left out.
  ///
  /// - Returns: how many entries were published and deleted.
  func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int

  /// Keeps a job until the delay is over by the store's clock. Scheduling a run again replaces what was scheduled.
  func schedule(_ envelope: JobEnvelope, pool: PoolName, after delay: Duration) async throws
  /// Parks a job whose kind is paused, until the kind is resumed; after six hours the job is enqueued again, so that it
  /// is checked whether the kind is still paused.
  func park(_ envelope: JobEnvelope, pool: PoolName) async throws
  /// Makes the pool's parked jobs due, at most `limit` of them, except those of kinds that are still paused.
  ///
  /// - Returns: how many; fewer than `limit` when none is left.
  func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int
  /// Moves due jobs to the outbox, each on one node only, and returns them for the caller to enqueue.
  func releaseDueJobs(limit: Int) async throws -> [OutboxEntry]

  /// Marks that a redelivered job is being started; returns how many start markers the run has, this one included.
  func markStart(_ job: JobRun, node: String) async throws -> Int
  /// Removes the run's start markers, because an attempt has ended without a crash.
  func clearStarts(_ job: JobRun) async throws
}

/// A failure of the store; adapters translate their own errors into these.
package enum JobStoreError: Error, Equatable, CustomStringConvertible {
  /// The store cannot be reached: nothing happened, and the job is not at fault. The text must be safe to log.
  case unavailable(String)
  /// It is unknown whether the transaction was committed: run the job again, its receipt decides.
  case inDoubt
  /// The transaction lost against another one, waited too long for a lock, or was cancelled by the server or an
  /// operator: nothing happened, the job is not at fault, and the same transaction may succeed when it is run again.
  case contention
  /// The caller's own deadline passed, and the transaction was rolled back: the work itself took too long.
  case deadlineExceeded

  package var description: String {
    switch self {
    case .unavailable(let why): "the store cannot be reached: \(why)"
    case .inDoubt: "it is unknown whether the transaction was committed"
    case .contention: "the transaction lost against another one, or was cancelled by the server"
    case .deadlineExceeded: "the store did not answer before the deadline"
    }
  }
}

/// What the store knows of a redelivered run; by default nothing.
package struct RunHistory: Sendable, Equatable {
  /// True: the run is completed, cancelled or dead, and must not run again.
  package var hasReceipt: Bool
  /// The number of start markers: starts that did not end with an attempt, so that the process may have crashed.
  package var starts: Int
  /// The age of the latest start marker by the store's clock; nil: none.
  package var timeSinceLastStart: Duration?

  package init(hasReceipt: Bool = false, starts: Int = 0, timeSinceLastStart: Duration? = nil) {
    self.hasReceipt = hasReceipt
    self.starts = starts
    self.timeSinceLastStart = timeSinceLastStart
  }
}
