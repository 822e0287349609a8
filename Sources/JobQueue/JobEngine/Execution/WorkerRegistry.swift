package import Jobs

/// The workers of a program, by kind of job.
package struct WorkerRegistry<Transaction: Sendable>: Sendable {
  private(set) var workers: [JobKind: RegisteredWorker<Transaction>] = [:]
  /// The kinds in order of registration; one that was registered twice stands twice.
  package private(set) var registered: [(kind: JobKind, takesBatches: Bool, minimumTimeout: Duration)] = []

  /// Makes the job that carries counts into the reports: from what was counted in a completing transaction and the jobs it
  /// completes. Nil where there is nothing to carry.
  package typealias CountsJobFactory = @Sendable ([Counter: Int], [FinishedJob]) throws -> JobEnvelope?
  /// How counts get into the reports; nil: they are dropped.
  package var countsJobFactory: CountsJobFactory?

  /// No workers yet. A kind registered twice keeps the later worker; the check of queues.yaml reports it.
  package init() {}

  /// Adds a worker that does one job at a time.
  package mutating func register<W: Worker>(_ worker: W) where W.Transaction == Transaction {
    add(
      RegisteredWorker(
        kind: W.Work.kind, minimumTimeout: W.Work.minimumTimeout,
        decode: { try JobCodec.decode(W.Work.self, from: $0) },
        decideRetry: { worker.retryDecision(after: $0, attempt: $1) },
        handler: .one { job, context in
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
        handler: .many { jobs, transaction, followUps in
          let items = jobs.map { job, info in
            guard let job = job as? W.Work else { preconditionFailure("a \(W.Work.kind) was decoded as another type") }
            return BatchItem(job: job, info: info)
          }
          return try await worker.work(items, in: transaction, followUps: &followUps)
        }))
  }

  private mutating func add(_ worker: RegisteredWorker<Transaction>) {
    workers[worker.kind] = worker
    registered.append((worker.kind, worker.takesBatches, worker.minimumTimeout))
  }
}

/// A worker without its job's type.
struct RegisteredWorker<Transaction: Sendable>: Sendable {
  typealias One = @Sendable (any Job, JobContext<Transaction>) async throws -> JobOutcome
  typealias BatchHandler = @Sendable ([(any Job, JobInfo)], Transaction, inout FollowUps) async throws -> [JobOutcome]

  enum Handler: Sendable {
    case one(One)
    case many(BatchHandler)
  }

  let kind: JobKind
  let minimumTimeout: Duration
  let decode: @Sendable (JobEnvelope) throws -> any Job
  let decideRetry: @Sendable (_ error: any Error, _ attempt: Int) -> RetryDecision
  let handler: Handler

  var takesBatches: Bool { if case .many = handler { true } else { false } }
}
