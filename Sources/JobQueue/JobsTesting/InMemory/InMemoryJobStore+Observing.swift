package import Foundation
package import Jobs
internal import Synchronization

/// The calls of ``Jobs/JobStore``, for planning faults.
package enum JobStoreCall: Sendable, Hashable, CaseIterable {
  case complete, withTransaction, now, history
  case deleteFromOutbox, relayOutbox, recordAccepted, sweepAccepted
  case schedule, park, unpark, releaseDueJobs
  case markStart, clearStarts
}

extension InMemoryJobStore {
  package struct ScheduledJob: Sendable, Equatable {
    package let envelope: JobEnvelope
    package let pool: PoolName
    package var dueAt: Date
    /// True: its kind is paused.
    package var isParked = false
    /// The order of arrival.
    var number = 0
  }

  package struct AuditEntry: Sendable, Equatable {
    package let who: String
    /// `dead.retry` or `dead.archive`.
    package let action: String
    /// The run; of a retried job its new one.
    package let target: JobRun
  }

  /// Makes the next `times` calls fail, after the faults that were planned before.
  ///
  /// `unavailable` is thrown before anything happens. `contention` and `inDoubt` are thrown after a completion's body
  /// has run, which is then rolled back, or after a relay has published, which then deletes nothing.
  ///
  /// - Parameter takesEffect: true: the call takes effect and only its answer is lost.
  package func fail(next call: JobStoreCall, with error: JobStoreError, takesEffect: Bool = false, times: Int = 1) {
    let fault = JobStoreState.Fault(error: error, takesEffect: takesEffect)
    state.withLock { $0.faults[call, default: []] += Array(repeating: fault, count: times) }
  }

  /// False: every call throws ``Jobs/JobStoreError/unavailable(_:)``.
  package var isAvailable: Bool {
    get { state.withLock { $0.isAvailable } }
    set { state.withLock { $0.isAvailable = newValue } }
  }

  /// Moves the store's clock forward or, with a negative duration, back.
  package func advance(by duration: Duration) { state.withLock { $0.clockOffset += duration / .seconds(1) } }

  /// The effects of all committed transactions, in order.
  package var effects: [String] { state.withLock { $0.effects } }

  package func receipt(of job: JobRun) -> Receipt? { state.withLock { $0.receipts[job] } }

  /// In order of arrival.
  package var outbox: [OutboxEntry] { state.withLock { $0.outbox.map(\.entry) } }

  /// The first due first.
  package var scheduledJobs: [ScheduledJob] { state.withLock { $0.scheduled.values.sorted { $0.dueAt < $1.dueAt } } }

  /// The nodes that marked a start of the run, in order.
  package func starts(of job: JobRun) -> [String] { state.withLock { $0.starts[job]?.map(\.node) ?? [] } }

  /// Committed completing transactions.
  package var commits: Int { state.withLock { $0.commits } }

  /// Completing transactions that were rolled back.
  package var rollbacks: Int { state.withLock { $0.rollbacks } }

  /// In order.
  package var audit: [AuditEntry] { state.withLock { $0.audit } }
}
