internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Takes jobs from delivery to their end. The steps, for one job:
///
/// 1. Is it readable, of a sane size and of a known kind? Otherwise it is dead.
/// 2. Did it come back? With a receipt it is acknowledged. Otherwise its start is marked; too many starts mean that it
///    kills processes, and it is dead. Before a start, the first too: is its kind paused? Then it is put aside.
/// 3. Is it past its deadline? Then it is discarded.
/// 4. The worker runs when the pool's rate limit lets it, within the timeout; its closing transaction writes the
///    receipt first.
/// 5. Follow-up jobs are enqueued from the outbox.
/// 6. It is acknowledged. A failed attempt is enqueued for its retry, or dead, before that.
struct JobAttempt<Ledger: JobLedger>: Sendable {
  let pool: PoolConfiguration
  let node: String
  let workers: [JobKind: RegisteredWorker<Ledger.Transaction>]
  let routes: [JobKind: PoolName]
  let ledger: Ledger
  let counting: WorkerRegistry<Ledger.Transaction>.Counting?
  let outbox: OutboxPublisher<Ledger>
  let exits: JobExits<Ledger>
  let quarantine: Quarantine
  let paused: PausedKinds
  let rate: RateGate?
  /// The time of day that all nodes agree on.
  let now: @Sendable () -> Date
  let logger: Logger

  /// A job that passed the first steps.
  struct Ready: Sendable {
    let delivery: JobDelivery
    let envelope: JobEnvelope
    let worker: RegisteredWorker<Ledger.Transaction>
    let job: any Job

    var receipt: JobRun { envelope.jobRun }
  }

  /// How an attempt went.
  enum Verdict {
    case closed([OutboxEntry], [JobRun: JobOutcome])
    case failed(any Error)
    case interrupted
  }

  /// A batch's transaction that lost against another is run again this often before it counts as failed; a single
  /// job's goes on until shortly before its timeout (see `insisting`).
  var contentionMax: Int { 10 }

  /// Brings one job, or a batch of one kind, to its end, or gives it back when the task is cancelled.
  func process(_ deliveries: [JobDelivery]) async {
    Failpoint.jobTaken.visit()
    var known: [Known] = []
    for delivery in deliveries {
      if let job = await recognise(delivery) { known.append(job) }
    }
    // What was redelivered comes alone. A batch's receipts come first anyway.
    if let only = known.first, known.count == 1,
      only.delivery.redelivered || only.envelope.attempt > 1 && !only.worker.takesBatches
    {
      await beginAgain(only)
    } else {
      var wanted: [Known] = []
      for job in known where await !isParked(job) { wanted.append(job) }
      await begin(wanted)
    }
  }

  func begin(_ known: [Known]) async {
    var ready: [Ready] = []
    for job in known {
      if let job = await decode(job) { ready.append(job) }
    }
    guard let first = ready.first else { return }
    switch first.worker.doing {
    case .one:
      for job in ready { await attempt([job]) }
    case .many: await attempt(ready)
    }
  }

  // MARK: Steps 4 to 6

  func attempt(_ jobs: [Ready]) async {
    guard let first = jobs.first else { return }
    // A pool with a rate gathers no batches: there is one job.
    if let pause = await rate?.pass(first.job.rateKey) {
      let outcome = JobOutcome.snoozed(for: pause, reason: "the pool's rate limit is reached")
      return await settle(jobs, .closed([], Dictionary(jobs.map { ($0.receipt, outcome) }) { first, _ in first }))
    }
    switch first.worker.doing {
    case .one(let work):
      await settle([first], await patiently { try await runOne(first, work) })
    case .many(let work):
      await close(jobs) { transaction, open, followUps in
        try await work(open.map { ($0.job, JobInfo($0.envelope)) }, transaction, &followUps)
      }
    }
  }

  /// Runs a closing transaction for a batch; when it fails, each half by itself, so that only the job at fault fails.
  func close(
    _ jobs: [Ready],
    _ body: @escaping @Sendable (Ledger.Transaction, [Ready], inout FollowUps) async throws -> [JobOutcome]
  ) async {
    let verdict = await patiently { try await runBatch(jobs, body) }
    guard case .failed = verdict, jobs.count > 1 else { return await settle(jobs, verdict) }
    await close(Array(jobs[..<(jobs.count / 2)]), body)
    await close(Array(jobs[(jobs.count / 2)...]), body)
  }

  func close(_ jobs: [Ready], _ outcomes: @escaping @Sendable (Ledger.Transaction, [Ready]) -> [JobOutcome])
    async
  {
    await close(jobs) { transaction, open, _ in outcomes(transaction, open) }
  }

  /// Runs an attempt, again and again while the ledger is away or in doubt (which is no fault of the job), until the
  /// task is cancelled.
  func patiently(_ attempt: @Sendable () async throws -> Verdict) async -> Verdict {
    var backoff = Backoff(first: .milliseconds(50), most: .seconds(2))
    var lost = 0
    while !Task.isCancelled {
      do {
        return try await attempt()
      } catch LedgerError.contention where lost < contentionMax {
        lost += 1
        var generator = CurrentRuntime.generator
        try? await CurrentRuntime.sleep(for: .milliseconds(Int64.random(in: 1...20, using: &generator)))
      } catch let error as LedgerError where error != .contention {
        logger.warning("a job waits for the ledger", metadata: ["pool": "\(pool.name)", "error": "\(error)"])
        try? await CurrentRuntime.sleep(for: backoff.next())
      } catch {
        // Cancelled from outside, not by the attempt's own timeout, which throws TimedOut.
        if Task.isCancelled { return .interrupted }
        return .failed(error)
      }
    }
    return .interrupted
  }

  func settle(_ jobs: [Ready], _ verdict: Verdict) async {
    switch verdict {
    case .closed(let entries, let outcomes):
      Failpoint.afterCommit.visit()
      await outbox.publish(entries)
      Failpoint.beforeAcknowledge.visit()
      var settled = Set<JobRun>()
      for job in jobs {
        let outcome = settled.insert(job.receipt).inserted ? outcomes[job.receipt] : nil
        await exits.leave(job.delivery, job.envelope, outcome)
      }
    case .failed(let error):
      for job in jobs {
        await exits.fail(job.delivery, job.envelope, error, job.worker.advise(error, job.envelope.attempt))
      }
    case .interrupted:
      for job in jobs { await exits.giveBack(job.delivery, job.envelope) }
    }
  }
}
