public import Foundation
public import Logging
internal import Synchronization

/// Does one kind of job.
///
///     struct CancelBookingWorker: Worker {
///       func work(_ job: CancelBooking, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
///         try await context.complete { transaction, followUps in
///           try await bookings.cancel(job.booking, in: transaction)
///           return .completed
///         }
///       }
///     }
///
/// `work` may be called more than once for a job, and on two machines at once; what it does inside
/// ``JobContext/complete(_:)`` happens once. It must heed cancellation: an attempt that outlasts its timeout is cancelled
/// and waited for.
public protocol Worker<Work, Transaction>: Sendable {
  /// The job this worker does.
  associatedtype Work: Job
  /// The store's transaction, in which effects and receipt are one.
  associatedtype Transaction: Sendable

  /// Does the job; see ``JobOutcome`` for what the result means, and throw to fail the attempt.
  func work(_ job: Work, context: JobContext<Transaction>) async throws -> JobOutcome

  /// What is to be done after an attempt failed with this error, which may be the engine's own (a timeout). By default
  /// what the error says of itself.
  ///
  /// - Parameter attempt: which attempt failed, from 1.
  func retryDecision(after error: any Error, attempt: Int) -> RetryDecision
}

extension Worker {
  /// What the error says of itself.
  public func retryDecision(after error: any Error, attempt: Int) -> RetryDecision { RetryDecision(error) }
}

extension BatchWorker {
  /// What the error says of itself.
  public func retryDecision(after error: any Error, attempt: Int) -> RetryDecision { RetryDecision(error) }
}

/// Does many jobs of one kind in one transaction, with statements that take all of them at once.
public protocol BatchWorker<Work, Transaction>: Sendable {
  associatedtype Work: Job
  associatedtype Transaction: Sendable

  /// Does the jobs, whose receipts the transaction has written already; the outcomes stand in the jobs' order.
  ///
  /// A throw fails the whole batch: it is rolled back, and each job is tried again by itself, so that only the one at
  /// fault fails.
  func work(
    _ batch: [BatchItem<Work>], in transaction: Transaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome]

  /// What is to be done after an attempt of a single job failed with this error; see ``Worker/retryDecision(after:attempt:)``.
  func retryDecision(after error: any Error, attempt: Int) -> RetryDecision
}

/// One job of a batch.
public struct BatchItem<Work: Job>: Sendable {
  /// The job's value, read from its body.
  public let job: Work
  /// What is known of this one besides; follow-ups take tenant and trace from it.
  public let info: JobInfo

  /// Made by the engine, and by tests of a worker.
  public init(job: Work, info: JobInfo) {
    self.job = job
    self.info = info
  }
}

/// What a worker may know of the job besides its value.
public struct JobInfo: Sendable {
  /// Which job, and which run of it.
  public let jobRun: JobRun
  /// The business the job belongs to; nil where that was not known when it was enqueued.
  public let tenant: UUID?
  /// Which attempt this is, from 1. Advisory: after a crash a number may come twice.
  public let attempt: Int
  /// When the job was first enqueued; kept through retries and snoozes.
  public let enqueuedAt: Date
  /// After this instant the job is not begun any more, but cancelled; nil: never.
  public let deadline: Date?
  /// The request or job at the beginning of the story; nil where this job is the beginning.
  public let correlationID: String?
  /// W3C trace context, `00-<trace>-<span>-<flags>`; nil where nobody traces.
  public let traceparent: String?

  /// Takes what the envelope says.
  public init(_ envelope: JobEnvelope) {
    jobRun = envelope.jobRun
    tenant = envelope.tenant
    attempt = envelope.attempt
    enqueuedAt = envelope.enqueuedAt
    deadline = envelope.deadline
    correlationID = envelope.correlationID
    traceparent = envelope.traceparent
  }
}

/// What a worker works with: what is known of the job, and its completing transaction.
public struct JobContext<Transaction: Sendable>: Sendable {
  /// The body of a completing transaction: effects go through the transaction, jobs that follow into `FollowUps`.
  public typealias CompletionBody = @Sendable (Transaction, inout FollowUps) async throws -> JobOutcome

  /// What is known of the job besides its value.
  public let info: JobInfo
  /// Carries the job's id and kind; keep personal data out of it.
  public let logger: Logger
  /// When the attempt is given up: what takes longer should not be begun.
  public let deadline: ContinuousClock.Instant
  private let completer: @Sendable (@escaping CompletionBody) async throws -> JobOutcome
  private let transactionRunner: @Sendable (@escaping TransactionBody) async throws -> Void

  /// The body of a transaction before the completing one.
  public typealias TransactionBody = @Sendable (Transaction) async throws -> Void

  /// Made by the engine, and by tests of a worker.
  public init(
    info: JobInfo, logger: Logger, deadline: ContinuousClock.Instant,
    transactionRunner: @escaping @Sendable (@escaping TransactionBody) async throws -> Void,
    completer: @escaping @Sendable (@escaping CompletionBody) async throws -> JobOutcome
  ) {
    self.info = info
    self.logger = logger
    self.deadline = deadline
    self.transactionRunner = transactionRunner
    self.completer = completer
  }

  /// Runs a transaction of its own, before the completing one and without the receipt: for a worker whose effect lies
  /// outside of the store, which notes its intent first. It happens again when the job is done again, and `body` may
  /// run again where it is unknown whether it was committed.
  public func withTransaction<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) async throws -> Value
  ) async throws -> Value {
    let result = Mutex<Value?>(nil)
    try await transactionRunner { transaction in
      let value = try await body(transaction)
      result.withLock { $0 = value }
    }
    guard let value = result.withLock({ $0 }) else { throw CancellationError() }
    return value
  }

  /// Runs the completing transaction: the job's receipt, then `body`'s effects, then the jobs that follow, all or nothing.
  ///
  /// Call it once, as the last thing. `body` may run more than once, where a transaction is lost: only the last one
  /// counts. Where the job was done before (a second copy, a crash after the commit), `body`
  /// does not run and this throws ``AlreadyCompleted``, which the engine takes for success: let it pass. A snoozed outcome
  /// rolls everything back.
  public func complete(_ body: @escaping CompletionBody) async throws -> JobOutcome { try await completer(body) }
}

/// Thrown by ``JobContext/complete(_:)`` where the job's receipt exists already.
public struct AlreadyCompleted: Error {
  /// Thrown by the engine, and by tests of a worker.
  public init() {}
}

/// What follows from a job: other jobs, which are enqueued if, and only if, its transaction commits, and counts.
public struct FollowUps: Sendable {
  /// A job to enqueue.
  public struct Item: Sendable {
    /// The job with its body, under an id of its own. Its kind finds the pool when the transaction completes.
    public let envelope: JobEnvelope
    /// When to enqueue it; nil: at once.
    public let dueAt: Date?
  }

  /// What was asked for so far.
  public private(set) var items: [Item] = []
  /// What was counted so far.
  public private(set) var counts: [Counter: Int] = [:]
  private let now: Date

  /// Nothing follows yet.
  ///
  /// - Parameter now: when what follows is taken to have been enqueued.
  public init(at now: Date = Date()) { self.now = now }

  /// Enqueues a job after the commit, at once or at `dueAt`.
  ///
  /// - Parameter cause: the job it follows from; tenant, correlation and trace are taken over from it.
  /// - Parameter tenant: the business, where the cause did not know it.
  /// - Parameter deadline: after which the job is cancelled.
  public mutating func enqueue<Work: Job>(
    _ job: Work, from cause: JobInfo, tenant: UUID? = nil, dueAt: Date? = nil, deadline: Date? = nil
  ) throws {
    let envelope = try JobCodec.envelope(
      for: job, at: now, tenant: tenant ?? cause.tenant, deadline: deadline,
      correlationID: cause.correlationID ?? "\(cause.jobRun.id)",
      traceparent: cause.traceparent)
    items.append(Item(envelope: envelope, dueAt: dueAt))
  }

  /// Adds a job that is in its envelope already.
  public mutating func enqueue(_ envelope: JobEnvelope) { items.append(Item(envelope: envelope, dueAt: nil)) }

  /// Counts something for the reports: it is counted once, if and only if the transaction commits.
  ///
  /// - Parameter instant: when it happened; it may lie in the past.
  public mutating func count(
    _ metric: String, _ detail: String = "", of tenant: UUID?, at instant: Date, by number: Int = 1
  ) {
    counts[Counter(tenant: tenant, metric: metric, detail: detail, at: instant), default: 0] += number
  }
}
