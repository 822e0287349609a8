internal import ClientLoop
internal import Jobs
internal import Synchronization

/// The transactions that a worker of single jobs runs through its context, and what its completing transaction
/// committed.
final class SingleAttempt<Store: JobStore>: AttemptTransactions {
  typealias Transaction = Store.Transaction

  private let executor: JobExecutor<Store>
  private let job: JobExecutor<Store>.DecodedJob
  private let deadline: ContinuousClock.Instant
  private let state = Mutex<Completion?>(nil)

  /// - Parameter deadline: when the store's calls end; earlier than the attempt's own timeout.
  init(executor: JobExecutor<Store>, job: JobExecutor<Store>.DecodedJob, deadline: ContinuousClock.Instant) {
    self.executor = executor
    self.job = job
    self.deadline = deadline
  }

  /// What was committed; nil where nothing was.
  var committed: Completion? { state.withLock { $0 } }

  func withTransaction<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) async throws -> Value
  ) async throws -> Value {
    try await retryingTransaction { try await executor.store.withTransaction(deadline: deadline, body) }
  }

  func complete(_ body: @escaping JobContext<Transaction>.CompletionBody) async throws -> JobOutcome {
    let completion = try await retryingTransaction {
      try await executor.complete([job], deadline: deadline) { transaction, _, followUps in
        [try await body(transaction, &followUps)]
      }
    }
    guard let completion, let outcome = completion.outcomes[job.jobRun] else { throw AlreadyCompleted() }
    if !completion.rollsBack { state.withLock { $0 = completion } }
    return outcome
  }

  /// Runs a transaction again while the store is unavailable, in doubt or contended, until the deadline: the worker's
  /// results from outside the store must not be lost with it. Where such failures have used the time up, and the last
  /// try runs into the deadline, they are what is thrown.
  private func retryingTransaction<Value>(_ body: () async throws -> Value) async throws -> Value {
    var storeFailure: JobStoreError?
    do {
      return try await retrying(
        until: deadline, backoff: Backoff(initial: .milliseconds(20), max: .seconds(1)),
        decide: { error in
          guard let error = error as? JobStoreError, error != .deadlineExceeded else { return .giveUp }
          storeFailure = error
          return .retry
        }, { _ in try await body() })
    } catch JobStoreError.deadlineExceeded where storeFailure != nil {
      throw storeFailure ?? .deadlineExceeded
    }
  }
}
