package import Foundation
package import Jobs
internal import Synchronization

/// The calls of the store port, for planning faults.
package enum JobStoreCall: Sendable, Hashable, CaseIterable {
  case complete, now, history, withTransaction, deleteFromOutbox, relayOutbox, schedule, park, unpark, releaseDueJobs,
    markStart,
    clearStarts
}

/// What a test plans, and what it sees.
extension InMemoryJobStore {
  /// A job that waits for its time.
  package struct ScheduledJob: Sendable, Equatable {
    /// The job.
    package let envelope: JobEnvelope
    /// The pool it will go to.
    package let pool: PoolName
    /// When it is due.
    package var dueAt: Date
    /// Put aside because its kind is paused.
    package var isParked = false
    /// When it came, among the others.
    var number = 0
  }

  /// What an operator has done.
  package struct AuditEntry: Sendable, Equatable {
    /// The operator.
    package let who: String
    /// What was done: `dead.retry` or `dead.archive`.
    package let action: String
    /// The run it was done to; a retried job's new one.
    package let target: JobRun
  }

  /// Makes the next calls of this kind fail, in order with what was planned before.
  ///
  /// `unavailable` is thrown before anything happens; `contention` and `inDoubt` after a completion's body has run, which
  /// is then rolled back, or after a relay has published, which then forgets nothing. With `takesEffect` the call
  /// happens and only its answer is lost.
  package func fail(next call: JobStoreCall, with error: JobStoreError, takesEffect: Bool = false, times: Int = 1) {
    let fault = JobStoreState.Fault(error: error, takesEffect: takesEffect)
    state.withLock { $0.faults[call, default: []] += Array(repeating: fault, count: times) }
  }

  /// False while every call is to throw ``Jobs/JobStoreError/unavailable(_:)``.
  package var isAvailable: Bool {
    get { state.withLock { $0.isAvailable } }
    set { state.withLock { $0.isAvailable = newValue } }
  }

  /// Puts the store's clock forward (entries grow older, scheduled jobs come due), or back.
  package func advance(by duration: Duration) { state.withLock { $0.clockOffset += duration / .seconds(1) } }

  /// The effects of all committed transactions, in order.
  package var effects: [String] { state.withLock { $0.effects } }

  /// How a run ended; nil while it has not.
  package func receipt(of job: JobRun) -> Receipt? { state.withLock { $0.receipts[job] } }

  /// The outbox's entries, in order of arrival.
  package var outbox: [OutboxEntry] { state.withLock { $0.outbox.map(\.entry) } }

  /// The jobs that wait for their time, the first due first.
  package var scheduledJobs: [ScheduledJob] { state.withLock { $0.scheduled.values.sorted { $0.dueAt < $1.dueAt } } }

  /// The nodes that marked a start of the job, in order.
  package func starts(of job: JobRun) -> [String] { state.withLock { $0.starts[job]?.map(\.node) ?? [] } }

  /// How many completing transactions were committed.
  package var commits: Int { state.withLock { $0.commits } }

  /// How many completing transactions were rolled back.
  package var rollbacks: Int { state.withLock { $0.rollbacks } }

  /// What operators have done, in order.
  package var audit: [AuditEntry] { state.withLock { $0.audit } }
}
