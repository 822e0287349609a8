internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Takes jobs from delivery to their end. The steps, for one job:
///
/// 1. Is it readable, of a sane size and of a known kind? Otherwise it is dead.
/// 2. Did it come back? With a receipt it is acknowledged. Otherwise its start is marked; too many starts mean that it
///    kills processes, and it is dead. Before a start, the first too: is its kind paused? Then it is put aside.
/// 3. Is it past its deadline? Then it is cancelled.
/// 4. The worker runs when the pool's rate limit lets it, within the timeout; its completing transaction writes the
///    receipt first.
/// 5. Follow-up jobs are enqueued from the outbox.
/// 6. It is acknowledged. A failed attempt is enqueued for its retry, or dead, before that.
struct JobExecutor<Store: JobStore>: Sendable {
  let pool: PoolConfiguration
  let node: String
  let workers: [JobKind: RegisteredWorker<Store.Transaction>]
  let routes: [JobKind: PoolName]
  let store: Store
  let countsJobFactory: WorkerRegistry<Store.Transaction>.CountsJobFactory?
  let outbox: OutboxPublisher<Store>
  let completer: JobCompleter<Store>
  let poisonLock: PoisonJobLock
  let paused: PausedKinds
  let rate: PoolThrottle?
  /// The time of day that all nodes agree on.
  let now: @Sendable () -> Date
  let logger: Logger

  /// A job that passed the first steps.
  struct DecodedJob: Sendable {
    let delivery: JobDelivery
    let envelope: JobEnvelope
    let worker: RegisteredWorker<Store.Transaction>
    let job: any Job

    var receipt: JobRun { envelope.jobRun }
  }

  /// How an attempt went.
  enum AttemptResult {
    case completed([OutboxEntry], [JobRun: JobOutcome])
    case failed(any Error)
    case interrupted
  }

  /// A batch's transaction that lost against another is run again this often before it counts as failed; a single
  /// job's goes on until shortly before its timeout (see `retryingTransaction`).
  var contentionRetriesMax: Int { 10 }

  /// Brings one job, or a batch of one kind, to its end, or gives it back when the task is cancelled.
  func execute(_ deliveries: [JobDelivery]) async {
    Failpoint.jobFetched.visit()
    var known: [ValidatedJob] = []
    for delivery in deliveries {
      if let job = await validate(delivery) { known.append(job) }
    }
    // What was redelivered comes alone. A batch's receipts come first anyway.
    if let only = known.first, known.count == 1,
      only.delivery.redelivered || only.envelope.attempt > 1 && !only.worker.takesBatches
    {
      await beginRedelivered(only)
    } else {
      var wanted: [ValidatedJob] = []
      for job in known where await !parkIfPaused(job) { wanted.append(job) }
      await begin(wanted)
    }
  }

  func begin(_ known: [ValidatedJob]) async {
    var ready: [DecodedJob] = []
    for job in known {
      if let job = await decode(job) { ready.append(job) }
    }
    guard let first = ready.first else { return }
    switch first.worker.handler {
    case .one:
      for job in ready { await attempt([job]) }
    case .many: await attempt(ready)
    }
  }

  // MARK: Steps 4 to 6

  func attempt(_ jobs: [DecodedJob]) async {
    guard let first = jobs.first else { return }
    // A pool with a rate gathers no batches: there is one job.
    if let pause = await rate?.wait(first.job.rateKey) {
      let outcome = JobOutcome.snoozed(for: pause, reason: "the pool's rate limit is reached")
      return await finish(jobs, .completed([], Dictionary(jobs.map { ($0.receipt, outcome) }) { first, _ in first }))
    }
    switch first.worker.handler {
    case .one(let work):
      await finish([first], await retryingAttempt { try await runSingle(first, work) })
    case .many(let work):
      await complete(jobs) { transaction, open, followUps in
        try await work(open.map { ($0.job, JobInfo($0.envelope)) }, transaction, &followUps)
      }
    }
  }

  /// Runs a completing transaction for a batch; when it fails, each half by itself, so that only the job at fault fails.
  func complete(
    _ jobs: [DecodedJob],
    _ body: @escaping @Sendable (Store.Transaction, [DecodedJob], inout FollowUps) async throws -> [JobOutcome]
  ) async {
    let result = await retryingAttempt { try await runBatch(jobs, body) }
    guard case .failed = result, jobs.count > 1 else { return await finish(jobs, result) }
    await complete(Array(jobs[..<(jobs.count / 2)]), body)
    await complete(Array(jobs[(jobs.count / 2)...]), body)
  }

  func complete(_ jobs: [DecodedJob], _ outcomes: @escaping @Sendable (Store.Transaction, [DecodedJob]) -> [JobOutcome])
    async
  {
    await complete(jobs) { transaction, open, _ in outcomes(transaction, open) }
  }

  /// Runs an attempt, again and again while the store is away or in doubt (which is no fault of the job), until the
  /// task is cancelled.
  func retryingAttempt(_ attempt: @Sendable () async throws -> AttemptResult) async -> AttemptResult {
    var backoff = Backoff(initial: .milliseconds(50), max: .seconds(2))
    var lost = 0
    while !Task.isCancelled {
      do {
        return try await attempt()
      } catch JobStoreError.contention where lost < contentionRetriesMax {
        lost += 1
        var generator = TimeSource.generator
        try? await TimeSource.sleep(for: .milliseconds(Int64.random(in: 1...20, using: &generator)))
      } catch let error as JobStoreError where error != .contention {
        logger.warning("a job waits for the store", metadata: ["pool": "\(pool.name)", "error": "\(error)"])
        try? await TimeSource.sleep(for: backoff.next())
      } catch {
        // Cancelled from outside, not by the attempt's own timeout, which throws AttemptTimedOut.
        if Task.isCancelled { return .interrupted }
        return .failed(error)
      }
    }
    return .interrupted
  }

  func finish(_ jobs: [DecodedJob], _ result: AttemptResult) async {
    switch result {
    case .completed(let entries, let outcomes):
      Failpoint.afterCommit.visit()
      await outbox.publish(entries)
      Failpoint.beforeAcknowledge.visit()
      var settled = Set<JobRun>()
      for job in jobs {
        let outcome = settled.insert(job.receipt).inserted ? outcomes[job.receipt] : nil
        await completer.complete(job.delivery, job.envelope, outcome)
      }
    case .failed(let error):
      for job in jobs {
        await completer.fail(job.delivery, job.envelope, error, job.worker.decideRetry(error, job.envelope.attempt))
      }
    case .interrupted:
      for job in jobs { await completer.requeue(job.delivery, job.envelope) }
    }
  }
}
