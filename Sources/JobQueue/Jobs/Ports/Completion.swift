package import Foundation

/// What a completing transaction writes a receipt for.
package struct JobReceipt: Sendable, Equatable {
  /// The run; there is at most one receipt for it.
  package let jobRun: JobRun
  package let kind: JobKind
  /// The pool that worked on it.
  package let pool: PoolName
  /// As ``JobEnvelope/isCounted``.
  package let isCounted: Bool

  package init(jobRun: JobRun, kind: JobKind, pool: PoolName, isCounted: Bool = false) {
    self.jobRun = jobRun
    self.kind = kind
    self.pool = pool
    self.isCounted = isCounted
  }
}

/// How a completing transaction ends. By default every job is completed and nothing follows.
package struct Completion: Sendable {
  /// How the open runs end. The receipt of a cancelled run gets the reason; that of a snoozed one is deleted again.
  package var outcomes: [JobRun: JobOutcome]
  /// The jobs that follow.
  package var followUps: [RoutedFollowUp]
  /// True: the transaction is rolled back.
  package var rollsBack = false

  package init(outcomes: [JobRun: JobOutcome] = [:], followUps: [RoutedFollowUp] = []) {
    self.outcomes = outcomes
    self.followUps = followUps
  }

  /// Runs whose receipts are deleted again.
  package var snoozed: [JobRun] {
    outcomes.compactMap { if case .snoozed = $0.value { $0.key } else { nil } }
  }

  /// Runs whose receipts say cancelled, with the reasons.
  package var cancelled: [JobRun: String] {
    outcomes.compactMapValues { if case .cancelled(let reason) = $0 { reason } else { nil } }
  }

  /// What was written to the outbox, for the caller to enqueue at once.
  package var outboxEntries: [OutboxEntry] {
    guard !rollsBack else { return [] }
    return followUps.filter { $0.dueAt == nil }.map { OutboxEntry(envelope: $0.envelope, pool: $0.pool) }
  }
}

/// A job that follows, with the pool that does its kind.
package struct RoutedFollowUp: Sendable {
  /// Counted as accepted: the completing transaction does that.
  package let envelope: JobEnvelope
  package let pool: PoolName
  /// When to enqueue it; nil: right after the commit.
  package let dueAt: Date?

  package init(envelope: JobEnvelope, pool: PoolName, dueAt: Date?) {
    self.envelope = envelope.asCounted
    self.pool = pool
    self.dueAt = dueAt
  }
}

/// A job in the outbox, to be enqueued.
package struct OutboxEntry: Sendable {
  package let envelope: JobEnvelope
  package let pool: PoolName

  package init(envelope: JobEnvelope, pool: PoolName) {
    self.envelope = envelope
    self.pool = pool
  }
}
