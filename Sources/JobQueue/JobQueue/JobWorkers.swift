package import JobEngine
public import Jobs
public import Postgres

/// The workers of a program.
///
///     var workers = JobWorkers()
///     workers.register(RemindCustomerWorker())
public struct JobWorkers: Sendable {
  package private(set) var registry = WorkerRegistry<PostgresTransaction>()

  /// Creates an empty set of workers.
  public init() {}

  /// Adds a worker that does one job at a time. A second worker for one kind is reported by the check of
  /// queues.yaml.
  public mutating func register<W: Worker>(_ worker: W) where W.Transaction == PostgresTransaction {
    registry.register(worker)
  }

  /// Adds a worker that does many jobs in one transaction.
  public mutating func register<W: BatchWorker>(_ worker: W) where W.Transaction == PostgresTransaction {
    registry.register(worker)
  }
}
