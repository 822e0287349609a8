package import JobConfiguration
package import Jobs

/// The workers of a program, by kind of job.
package struct WorkerRegistry<Transaction: Sendable>: Sendable {
  private(set) var workers: [JobKind: RegisteredWorker<Transaction>] = [:]
  /// The kinds in order of registration; one that was registered twice is listed twice.
  package private(set) var registered: [KnownWorker] = []

  /// Makes the job that brings counts into the reports: from what was counted in a completing transaction and the jobs
  /// it completes. Nil: there is nothing to count.
  package typealias CountsJobFactory = @Sendable ([Counter: Int], [FinishedJob]) throws -> JobEnvelope?
  /// Nil: counts are dropped.
  package var countsJobFactory: CountsJobFactory?

  /// A kind that is registered twice keeps the later worker; the check of queues.yaml reports it.
  package init() {}

  /// Adds a worker that does one job at a time.
  package mutating func register<W: Worker>(_ worker: W) where W.Transaction == Transaction {
    add(
      RegisteredWorker(
        kind: W.Work.kind, minimumTimeout: W.Work.minimumTimeout,
        decode: { try JobCodec.decode(W.Work.self, from: $0) },
        decideRetry: { worker.retryDecision(after: $0, attempt: $1) },
        handler: .single { job, context in
          guard let job = job as? W.Work else { preconditionFailure("a \(W.Work.kind) was decoded as another type") }
          return try await worker.work(job, context: context)
        }))
  }

  /// Adds a worker that does many jobs in one transaction.
  package mutating func register<W: BatchWorker>(_ worker: W) where W.Transaction == Transaction {
    add(
      RegisteredWorker(
        kind: W.Work.kind, minimumTimeout: W.Work.minimumTimeout,
        decode: { try JobCodec.decode(W.Work.self, from: $0) },
        decideRetry: { worker.retryDecision(after: $0, attempt: $1) },
        handler: .batch { jobs, transaction, followUps in
          let items = jobs.map { job, info in
            guard let job = job as? W.Work else { preconditionFailure("a \(W.Work.kind) was decoded as another type") }
            return BatchItem(job: job, info: info)
          }
          return try await worker.work(items, in: transaction, followUps: &followUps)
        }))
  }

  private mutating func add(_ worker: RegisteredWorker<Transaction>) {
    workers[worker.kind] = worker
    registered.append(
      KnownWorker(kind: worker.kind, takesBatches: worker.takesBatches, minimumTimeout: worker.minimumTimeout))
  }
}
