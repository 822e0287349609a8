/// What lies in the store, for somebody who looks for jobs that are stuck: names and numbers, nothing of what a job
/// says.
package struct BacklogSnapshot: Sendable, Equatable {
  /// Jobs of one kind that wait for one pool.
  package struct PendingJobs: Sendable, Equatable {
    /// The pool they are for; queues.yaml need not have it any more.
    package let pool: PoolName
    /// What they are; no worker need do such jobs any more.
    package let kind: JobKind
    /// How many, at least 1.
    package let count: Int
    /// How many of them should have gone on by now, by ``BacklogSnapshot/outboxOverdueAfter`` or
    /// ``BacklogSnapshot/scheduledOverdueAfter``.
    package let overdue: Int

    /// Takes what was counted.
    package init(pool: PoolName, kind: JobKind, count: Int, overdue: Int) {
      self.pool = pool
      self.kind = kind
      self.count = count
      self.overdue = overdue
    }
  }

  /// Open dead letters of one cause.
  package struct DeadJobs: Sendable, Equatable {
    /// The pool they died in, or were given to since.
    package let pool: PoolName
    /// The jobs' kind; `unreadable` for messages that no job could be read from.
    package let kind: JobKind
    /// Why they died; a reason this program does not know reads as ``DeadLetterReason/unreadable``.
    package let reason: DeadLetterReason
    /// What they have in common; it selects them in a ``DeadLetterFilter``.
    package let fingerprint: String
    /// How many, at least 1.
    package let count: Int

    /// Takes what was counted.
    package init(pool: PoolName, kind: JobKind, reason: DeadLetterReason, fingerprint: String, count: Int) {
      self.pool = pool
      self.kind = kind
      self.reason = reason
      self.fingerprint = fingerprint
      self.count = count
    }
  }

  /// Jobs that follow from committed transactions and are to be enqueued.
  package var outbox: [PendingJobs] = []
  /// Jobs that wait for their time.
  package var scheduled: [PendingJobs] = []
  /// Open dead letters, the largest group first.
  package var dead: [DeadJobs] = []
  /// Every pool the store remembers, of today's queues.yaml or not: from settings and their changes, nodes, dead
  /// letters, and a sample of the receipts of the last month.
  package var knownPools: Set<PoolName> = []

  /// A job that is in the outbox for longer is overdue: it is enqueued at once, and swept up every two seconds.
  package static let outboxOverdueAfter = Duration.seconds(60)
  /// A scheduled job that is due for longer is overdue: due jobs are looked for four times a second.
  package static let scheduledOverdueAfter = Duration.seconds(10)

  /// Nothing lies there.
  package init() {}
}
