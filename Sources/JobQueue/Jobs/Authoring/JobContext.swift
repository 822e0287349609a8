public import Logging

/// What a worker works with: what is known of the job, and its transactions.
public struct JobContext<Transaction: Sendable>: Sendable {
  /// The body of a completing transaction: effects go through the transaction, jobs that follow into ``FollowUps``.
  public typealias CompletionBody = @Sendable (Transaction, inout FollowUps) async throws -> JobOutcome

  /// What is known of the job besides its value.
  public let info: JobInfo
  /// Carries the job's id and kind; log no personal data with it.
  public let logger: Logger
  /// When the attempt times out. A worker should not begin what cannot end before it.
  public let deadline: ContinuousClock.Instant
  private let transactions: any AttemptTransactions<Transaction>

  /// The engine makes contexts, and so do tests of a worker.
  public init(
    info: JobInfo, logger: Logger, deadline: ContinuousClock.Instant,
    transactions: any AttemptTransactions<Transaction>
  ) {
    self.info = info
    self.logger = logger
    self.deadline = deadline
    self.transactions = transactions
  }

  /// Runs a transaction before the completing one, without the receipt.
  ///
  /// It is for a worker whose effect is outside of the store and which writes its intent first. It runs again when the
  /// job runs again, and `body` may run again when it is unknown whether the transaction was committed.
  public func withTransaction<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) async throws -> Value
  ) async throws -> Value {
    try await transactions.withTransaction(body)
  }

  /// Runs the completing transaction: the job's receipt, then `body`'s effects, then the jobs that follow, all or
  /// nothing.
  ///
  /// Call it once, as the last step. `body` may run more than once, when a transaction is lost: only the last run
  /// counts. When the job was completed before (a second copy, a crash after the commit), `body` does not run and this
  /// throws ``AlreadyCompleted``: let it pass, the engine takes it for success. A snoozed outcome rolls everything
  /// back.
  public func complete(_ body: @escaping CompletionBody) async throws -> JobOutcome {
    try await transactions.complete(body)
  }
}

/// The transactions of one attempt, as ``JobContext`` offers them: the engine's on the job store, or a test's own.
public protocol AttemptTransactions<Transaction>: Sendable {
  /// What effects go through.
  associatedtype Transaction: Sendable

  /// Runs a transaction without the receipt; see ``JobContext/withTransaction(_:)``.
  func withTransaction<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) async throws -> Value
  ) async throws -> Value

  /// Runs the completing transaction; see ``JobContext/complete(_:)``.
  func complete(_ body: @escaping JobContext<Transaction>.CompletionBody) async throws -> JobOutcome
}

/// Thrown by ``JobContext/complete(_:)`` when the run has its receipt already.
public struct AlreadyCompleted: Error {
  /// The engine makes it, and so do tests of a worker.
  public init() {}
}
