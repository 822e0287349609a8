internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Steps 5 to 8: from the rate limit to the settled delivery.
extension JobExecutor {
  // MARK: 5. Throttle

  func attempt(_ jobs: [DecodedJob], in slot: WorkerSlot) async {
    guard let first = jobs.first else { return }
    // A pool with a rate limit gathers no batches: there is one job.
    switch await throttle?.wait(first.job.rateKey) {
    case nil, .start: break
    case .requeue: return await settle(jobs, .interrupted)
    case .snooze(let delay):
      let outcome = JobOutcome.snoozed(for: delay, reason: "the pool's rate limit is reached")
      let outcomes = Dictionary(jobs.map { ($0.jobRun, outcome) }) { first, _ in first }
      return await settle(jobs, .completed(outcomes: outcomes, outbox: []))
    }
    switch first.worker.handler {
    case .single(let work):
      let result = await retryingAttempt(of: first.envelope.kind, in: slot) { try await runWorker(work, for: first) }
      await settle([first], result)
    case .batch(let work):
      await attemptBatch(jobs, in: slot) { transaction, open, followUps in
        try await work(open.map { ($0.job, JobInfo($0.envelope)) }, transaction, &followUps)
      }
    }
  }

  // MARK: 6. Run the worker

  /// Runs a worker of single jobs; it calls its completing transaction itself, through the context.
  private func runWorker(_ work: @escaping RegisteredWorker<Store.Transaction>.SingleHandler, for job: DecodedJob)
    async throws -> AttemptResult
  {
    let start = TimeSource.now
    let timeout = pool.timeout(of: job.envelope.kind)
    defer { metrics.attemptDuration(TimeSource.now - start, kind: job.envelope.kind) }
    let transactions = SingleAttempt(executor: self, job: job, deadline: Self.storeDeadline(start, timeout))
    var jobLogger = logger
    jobLogger[metadataKey: "job"] = "\(job.jobRun)"
    jobLogger[metadataKey: "kind"] = "\(job.envelope.kind)"
    let context = JobContext<Store.Transaction>(
      info: JobInfo(job.envelope), logger: jobLogger, deadline: start + timeout, transactions: transactions)
    let outcome: JobOutcome
    do {
      outcome = try await withTimeout(timeout) { try await work(job.job, context) }
    } catch is AlreadyCompleted {
      return .hadReceipt
    } catch let error as AttemptTimedOut {
      // The commit was under way when the time was over, and has succeeded.
      guard let committed = transactions.committed else { throw error }
      return .completed(outcomes: committed.outcomes, outbox: committed.outboxEntries)
    }
    if let committed = transactions.committed {
      return .completed(outcomes: [job.jobRun: outcome], outbox: committed.outboxEntries)
    }
    if case .snoozed = outcome { return .completed(outcomes: [job.jobRun: outcome], outbox: []) }
    // The worker had no effects: the receipt alone.
    return try await runBatch([job]) { _, _, _ in [outcome] }
  }

  /// Runs a batch; when it fails, each half by itself, so that only the job at fault fails. A batch that meets a locked
  /// row is halved as well, while its timeout lasts: the others must not wait for the lock.
  func attemptBatch(
    _ jobs: [DecodedJob], in slot: WorkerSlot, halvingUntil end: ContinuousClock.Instant? = nil,
    _ body: @escaping BatchBody
  ) async {
    guard let kind = jobs.first?.envelope.kind else { return }
    let end = end ?? TimeSource.now + pool.timeout(of: kind)
    let result = await retryingAttempt(of: kind, in: slot, isRetriedUntil: end) { try await runBatch(jobs, body) }
    let isHalved =
      switch result {
      case .failed: true
      case .contended: TimeSource.now < end
      case .completed, .interrupted: false
      }
    guard isHalved, jobs.count > 1 else { return await settle(jobs, result) }
    await attemptBatch(Array(jobs[..<(jobs.count / 2)]), in: slot, halvingUntil: end, body)
    await attemptBatch(Array(jobs[(jobs.count / 2)...]), in: slot, halvingUntil: end, body)
  }

  private func runBatch(_ jobs: [DecodedJob], _ body: @escaping BatchBody) async throws -> AttemptResult {
    guard let kind = jobs.first?.envelope.kind else { return .hadReceipt }
    let start = TimeSource.now
    let timeout = pool.timeout(of: kind)
    defer { metrics.attemptDuration(TimeSource.now - start, kind: kind) }
    let completion = try await withTimeout(timeout, takingLateResult: true) {
      try await complete(jobs, deadline: Self.storeDeadline(start, timeout), body)
    }
    return .completed(outcomes: completion?.outcomes ?? [:], outbox: completion?.outboxEntries ?? [])
  }

  // MARK: 7. The completing transaction

  /// Receipts, effects and follow-up jobs in one transaction; nil where every run had its receipt before.
  func complete(_ jobs: [DecodedJob], deadline: ContinuousClock.Instant, _ body: @escaping BatchBody) async throws
    -> Completion?
  {
    let receipts = jobs.map {
      JobReceipt(jobRun: $0.jobRun, kind: $0.envelope.kind, pool: pool.name, isCounted: $0.envelope.isCounted)
    }
    return try await store.complete(receipts, deadline: deadline) { transaction, open in
      // The same job twice in one batch is completed once.
      var seen = Set<JobRun>()
      let openJobs = jobs.filter { open.contains($0.jobRun) && seen.insert($0.jobRun).inserted }
      var followUps = FollowUps(at: now())
      let outcomes = try await body(transaction, openJobs, &followUps)
      guard outcomes.count == openJobs.count else {
        throw OutcomeCountMismatch(jobs: openJobs.count, outcomes: outcomes.count)
      }
      if let job = try countsJob(of: followUps.counts, zip(openJobs, outcomes)) { followUps.enqueue(job) }
      var completion = Completion(
        outcomes: Dictionary(uniqueKeysWithValues: zip(openJobs.map(\.jobRun), outcomes)),
        followUps: try followUps.items.map(route))
      // A single job that is snoozed leaves nothing behind; of a batch only its receipt goes.
      completion.rollsBack = jobs.count == 1 && !completion.snoozed.isEmpty
      Failpoint.beforeCommit.visit()
      return completion
    }
  }

  private func route(_ item: FollowUps.Item) throws -> RoutedFollowUp {
    guard let pool = routes[item.envelope.kind] else { throw UnroutedKind(kind: item.envelope.kind) }
    try JobTooLarge.check(item.envelope)
    return RoutedFollowUp(envelope: item.envelope, pool: pool, dueAt: item.dueAt)
  }

  private func countsJob(
    of counts: [Counter: Int], _ jobs: Zip2Sequence<[DecodedJob], [JobOutcome]>
  ) throws -> JobEnvelope? {
    guard let countsJobFactory else { return nil }
    let finished = jobs.compactMap { job, outcome -> FinishedJob? in
      if case .snoozed = outcome { return nil }
      return FinishedJob(kind: job.envelope.kind, info: JobInfo(job.envelope), outcome: outcome)
    }
    return finished.isEmpty ? nil : try countsJobFactory(counts, finished)
  }

  // MARK: 8. Settle

  func settle(_ jobs: [DecodedJob], _ result: AttemptResult) async {
    switch result {
    case .completed(let outcomes, let entries):
      Failpoint.afterCommit.visit()
      contention.succeeded()
      await outbox.publish(entries)
      Failpoint.beforeAcknowledge.visit()
      var settled = Set<JobRun>()
      for job in jobs {
        let outcome = settled.insert(job.jobRun).inserted ? outcomes[job.jobRun] : nil
        await completer.complete(job.delivery, envelope: job.envelope, outcome: outcome)
      }
    case .failed(let error):
      for job in jobs {
        let decision = job.worker.decideRetry(error, job.envelope.attempt)
        await completer.fail(job.delivery, envelope: job.envelope, error: error, decision: decision)
      }
    case .contended:
      contention.failed(JobStoreError.contention)
      for job in jobs { await completer.snoozeContended(job.delivery, envelope: job.envelope) }
    case .interrupted:
      for job in jobs { await completer.requeue(job.delivery, envelope: job.envelope) }
    }
  }

  // MARK: Time and retries

  /// How often a transaction is retried after contention before the jobs are snoozed. A single job's is retried until
  /// shortly before its timeout as well (``SingleAttempt``).
  private var contentionRetriesMax: Int { 10 }

  /// Runs an attempt again while the store is unavailable, the commit is in doubt or the transaction meets contention,
  /// none of which is the job's fault. It ends early enough for the broker not to take the delivery back.
  ///
  /// - Parameter end: contention is not retried after this instant; nil: not after a quarter of the timeout.
  private func retryingAttempt(
    of kind: JobKind, in slot: WorkerSlot, isRetriedUntil end: ContinuousClock.Instant? = nil,
    _ attempt: () async throws -> AttemptResult
  ) async -> AttemptResult {
    let timeout = pool.timeout(of: kind)
    guard TimeSource.now <= slot.lastStart(timeout) else { return .interrupted }
    let contentionEnd = min(TimeSource.now + timeout / 4, end ?? TimeSource.now + timeout)
    var contentions = 0
    var contentionBackoff = Backoff(initial: .milliseconds(10), max: .milliseconds(500))
    do {
      return try await retrying(
        backoff: Backoff(initial: .milliseconds(50), max: .seconds(2)),
        decide: { error in
          guard TimeSource.now + .seconds(2) <= slot.lastStart(timeout) else { return .giveUp }
          switch error as? JobStoreError {
          case .unavailable, .inDoubt:
            logger.warning(
              "job store unavailable; retrying the transaction",
              metadata: ["pool": "\(pool.name)", "error": "\(error)"])
            return .retry
          case .contention:
            contentions += 1
            guard contentions <= contentionRetriesMax, TimeSource.now < contentionEnd else { return .giveUp }
            return .retryAfter(contentionBackoff.next())
          case .deadlineExceeded, nil: return .giveUp
          }
        }, { _ in try await attempt() })
    } catch {
      // A cancellation from outside; the attempt's own timeout throws AttemptTimedOut.
      if Task.isCancelled { return .interrupted }
      switch error as? JobStoreError {
      case .contention: return .contended
      case .unavailable, .inDoubt: return .interrupted
      case .deadlineExceeded, nil: return .failed(error)
      }
    }
  }

  /// The store's calls end some time before the attempt does, so that a silent store is not taken for a slow worker.
  private static func storeDeadline(_ start: ContinuousClock.Instant, _ timeout: Duration) -> ContinuousClock.Instant {
    start + timeout - min(timeout / 4, .seconds(4))
  }

  /// Runs the work; at the timeout it is cancelled and known to have ended before anything else happens. Where it ends
  /// because the store fails, that is what counts, and not the timeout that came meanwhile.
  ///
  /// - Parameter takingLateResult: true: a result that comes after the timeout counts, because it was committed.
  private func withTimeout<Value: Sendable>(
    _ timeout: Duration, takingLateResult: Bool = false, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let result = LateResult<Value>()
    do {
      return try await withDeadline(TimeSource.now + timeout) {
        do {
          let value = try await body()
          result.set(.success(value))
          return value
        } catch {
          result.set(.failure(error))
          throw error
        }
      }
    } catch is DeadlineExceeded {
      switch result.value {
      case .success(let value) where takingLateResult: return value
      case .failure(let error as JobStoreError) where error != .deadlineExceeded: throw error
      default: throw AttemptTimedOut(after: timeout)
      }
    }
  }
}

/// What a body returned or threw, also where its caller no longer waited for it.
private final class LateResult<Value: Sendable>: Sendable {
  private let state = Mutex<Result<Value, any Error>?>(nil)

  var value: Result<Value, any Error>? { state.withLock { $0 } }
  func set(_ result: Result<Value, any Error>) { state.withLock { $0 = result } }
}
