/// What lies in the ledger, for somebody who looks for jobs that are stuck: names and numbers, nothing of what a job
/// says.
public struct LedgerRemains: Sendable, Equatable {
  /// Jobs of one kind that wait for one pool.
  public struct Waiting: Sendable, Equatable {
    /// The pool they are for; queues.yaml need not have it any more.
    public let pool: PoolName
    /// What they are; no worker need do such jobs any more.
    public let kind: JobKind
    /// How many, at least 1.
    public let count: Int
    /// How many of them should have gone on by now, by ``LedgerRemains/outboxPatience`` or
    /// ``LedgerRemains/delayPatience``.
    public let late: Int

    /// Takes what was counted.
    public init(pool: PoolName, kind: JobKind, count: Int, late: Int) {
      self.pool = pool
      self.kind = kind
      self.count = count
      self.late = late
    }
  }

  /// Open dead letters of one cause.
  public struct Dead: Sendable, Equatable {
    /// The pool they died in, or were given to since.
    public let pool: PoolName
    /// The jobs' kind; `unreadable` for messages that no job could be read from.
    public let kind: JobKind
    /// Why they died; a reason this program does not know reads as ``DeathReason/unreadable``.
    public let reason: DeathReason
    /// What they have in common; it selects them in a ``DeadLetterFilter``.
    public let fingerprint: String
    /// How many, at least 1.
    public let count: Int

    /// Takes what was counted.
    public init(pool: PoolName, kind: JobKind, reason: DeathReason, fingerprint: String, count: Int) {
      self.pool = pool
      self.kind = kind
      self.reason = reason
      self.fingerprint = fingerprint
      self.count = count
    }
  }

  /// Jobs that follow from committed transactions and are to be enqueued.
  public var outbox: [Waiting] = []
  /// Jobs that wait for their time.
  public var delayed: [Waiting] = []
  /// Open dead letters, the largest group first.
  public var dead: [Dead] = []
  /// Every pool the ledger remembers, of today's queues.yaml or not: from settings and their changes, nodes, dead
  /// letters, and a sample of the receipts of the last month.
  public var remembered: Set<PoolName> = []

  /// A job that is in the outbox for longer is late: it is enqueued at once, and swept up every two seconds.
  public static let outboxPatience = Duration.seconds(60)
  /// A delayed job that is due for longer is late: due jobs are looked for four times a second.
  public static let delayPatience = Duration.seconds(10)

  /// Nothing lies there.
  public init() {}
}
