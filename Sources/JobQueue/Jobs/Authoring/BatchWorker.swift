/// Does many jobs of one kind in one transaction, with statements that take all of them at once.
public protocol BatchWorker<Work, Transaction>: Sendable {
  /// The job this worker does.
  associatedtype Work: Job
  /// The store's transaction, which holds the effects and the receipts.
  associatedtype Transaction: Sendable

  /// Does the jobs, whose receipts the transaction has written already; returns their outcomes in the order of the
  /// jobs.
  ///
  /// A throw rolls the whole batch back. The engine then runs each half by itself, and so on, until only the job at
  /// fault fails.
  func work(
    _ batch: [BatchItem<Work>], in transaction: Transaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome]

  /// What follows an attempt of a single job that failed with this error; see
  /// ``Worker/retryDecision(after:attempt:)``.
  func retryDecision(after error: any Error, attempt: Int) -> RetryDecision
}

extension BatchWorker {
  /// Decides by the error alone, with ``RetryDecision/init(_:)``.
  public func retryDecision(after error: any Error, attempt: Int) -> RetryDecision { RetryDecision(error) }
}

/// One job of a batch.
public struct BatchItem<Work: Job>: Sendable {
  /// The job's value, read from its body.
  public let job: Work
  /// What is known of the job besides its value; follow-ups take tenant and trace from it.
  public let info: JobInfo

  /// The engine makes items, and so do tests of a worker.
  public init(job: Work, info: JobInfo) {
    self.job = job
    self.info = info
  }
}
