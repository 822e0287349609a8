/// What is in the store, for finding jobs that are stuck: names and numbers, nothing from a job's body.
package struct BacklogSnapshot: Sendable, Equatable {
  /// Jobs of one kind for one pool.
  package struct PendingJobs: Sendable, Equatable {
    /// The pool they are for; it may be missing from queues.yaml.
    package let pool: PoolName
    /// Their kind; there may be no worker for it.
    package let kind: JobKind
    /// At least 1.
    package let count: Int
    /// How many are late, by ``BacklogSnapshot/outboxOverdueAfter`` or ``BacklogSnapshot/scheduledOverdueAfter``.
    package let overdue: Int

    package init(pool: PoolName, kind: JobKind, count: Int, overdue: Int) {
      self.pool = pool
      self.kind = kind
      self.count = count
      self.overdue = overdue
    }
  }

  /// Open dead letters of one cause.
  package struct DeadJobs: Sendable, Equatable {
    /// The pool they died in, or were moved to since.
    package let pool: PoolName
    /// The jobs' kind; `unreadable` for unreadable messages.
    package let kind: JobKind
    /// A reason this program does not know reads as ``DeadLetterReason/unreadable``.
    package let reason: DeadLetterReason
    /// Selects the letters in a ``DeadLetterFilter``.
    package let fingerprint: String
    /// At least 1.
    package let count: Int

    package init(pool: PoolName, kind: JobKind, reason: DeadLetterReason, fingerprint: String, count: Int) {
      self.pool = pool
      self.kind = kind
      self.reason = reason
      self.fingerprint = fingerprint
      self.count = count
    }
  }

  /// Jobs of committed transactions that are to be enqueued.
  package var outbox: [PendingJobs] = []
  package var scheduled: [PendingJobs] = []
  /// Open dead letters, the largest group first.
  package var dead: [DeadJobs] = []
  /// Every pool the store knows, whether queues.yaml has it or not: from settings and their changes, nodes, dead
  /// letters, and a sample of the receipts of the last month.
  package var knownPools: Set<PoolName> = []

  /// An older outbox entry is overdue: entries are enqueued at once, and the relay runs every two seconds.
  package static let outboxOverdueAfter = Duration.seconds(60)
  /// A job that is due for longer is overdue: due jobs are released four times a second.
  package static let scheduledOverdueAfter = Duration.seconds(10)

  package init() {}
}
