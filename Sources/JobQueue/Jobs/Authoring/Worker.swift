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
/// ``JobContext/complete(_:)`` happens once. It must react to task cancellation: the engine cancels an attempt that
/// outlasts its timeout, and waits until it returns.
public protocol Worker<Work, Transaction>: Sendable {
  /// The job this worker does.
  associatedtype Work: Job
  /// The store's transaction, which holds the effects and the receipt.
  associatedtype Transaction: Sendable

  /// Does the job; ``JobOutcome`` says what the result means. Throw to fail the attempt.
  func work(_ job: Work, context: JobContext<Transaction>) async throws -> JobOutcome

  /// What follows an attempt that failed with this error, which may be the engine's own (a timeout).
  ///
  /// By default ``RetryDecision/init(_:)`` decides.
  ///
  /// - Parameter attempt: which attempt failed, from 1.
  func retryDecision(after error: any Error, attempt: Int) -> RetryDecision
}

extension Worker {
  /// Decides by the error alone, with ``RetryDecision/init(_:)``.
  public func retryDecision(after error: any Error, attempt: Int) -> RetryDecision { RetryDecision(error) }
}
