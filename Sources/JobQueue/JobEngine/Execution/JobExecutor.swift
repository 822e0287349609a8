internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging

/// Executes deliveries from the prefetch buffer. The functions stand in the order of the steps:
///
/// 1. `validate`: an unreadable or oversize message, or one of an unknown kind, becomes a dead letter.
/// 2. `executeRedelivered`: a job that had an earlier attempt or delivery is looked up. With a receipt it is
///    acknowledged. Starts of redelivered jobs are marked; too many markers make the job a dead letter, and a second
///    one makes it run alone.
/// 3. `parkIfPaused`: a job whose kind is paused is parked.
/// 4. `decode`: a body that cannot be read makes the job a dead letter; a job past its deadline is cancelled.
/// 5. `throttle`: a job that would wait too long for the pool's rate limit is snoozed.
/// 6. `runWorker`: the worker runs within its timeout.
/// 7. `complete`: the completing transaction writes receipt, effects and follow-up jobs.
/// 8. `settle`: follow-up jobs are enqueued from the outbox, and ``JobCompleter`` acknowledges the delivery, or
///    retries, snoozes or requeues the job, or makes it a dead letter.
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
  let pausedKinds: PausedKinds
  /// Nil: the pool has no rate limit.
  let throttle: PoolThrottle?
  let metrics: PoolMetrics
  /// The time of day that all nodes agree on.
  let now: @Sendable () -> Date
  let logger: Logger

  struct ValidatedJob: Sendable {
    let delivery: JobDelivery
    let envelope: JobEnvelope
    let worker: RegisteredWorker<Store.Transaction>
  }

  /// A job that was decoded and may run.
  struct DecodedJob: Sendable {
    let delivery: JobDelivery
    let envelope: JobEnvelope
    let worker: RegisteredWorker<Store.Transaction>
    let job: any Job

    var jobRun: JobRun { envelope.jobRun }
  }

  /// How an attempt ended.
  enum AttemptResult {
    /// The transaction has committed. A run without an outcome had its receipt before.
    case completed(outcomes: [JobRun: JobOutcome], outbox: [OutboxEntry])
    case failed(any Error)
    /// The task was cancelled: the process is stopping.
    case interrupted

    static var hadReceipt: AttemptResult { .completed(outcomes: [:], outbox: []) }
  }

  typealias BatchBody = @Sendable (Store.Transaction, [DecodedJob], inout FollowUps) async throws -> [JobOutcome]

  /// Executes one job, or a batch of one kind; requeues it when the task is cancelled.
  func execute(_ deliveries: [JobDelivery]) async {
    Failpoint.jobFetched.visit()
    var jobs: [ValidatedJob] = []
    for delivery in deliveries {
      if let job = await validate(delivery) { jobs.append(job) }
    }
    // The buffer hands out redelivered jobs one by one. A batch's transaction writes its receipts first anyway.
    if let only = jobs.first, jobs.count == 1,
      only.delivery.redelivered || only.envelope.attempt > 1 && !only.worker.takesBatches
    {
      return await executeRedelivered(only)
    }
    var unpaused: [ValidatedJob] = []
    for job in jobs where await !parkIfPaused(job) { unpaused.append(job) }
    await start(unpaused)
  }

  // MARK: 1. Validate

  private func validate(_ delivery: JobDelivery) async -> ValidatedJob? {
    let envelope: JobEnvelope
    switch delivery.content {
    case .job(let readable): envelope = readable
    case .unreadable(let reason):
      await completer.deadLetter(delivery, envelope: nil, reason: .unreadable, detail: reason, cause: "properties")
      return nil
    case .oversize(let detail):
      await completer.deadLetter(delivery, envelope: nil, reason: .oversize, detail: detail, cause: "size")
      return nil
    }
    guard envelope.body.count <= JobCodec.maxBodyBytes else {
      let detail = "the body has \(envelope.body.count) bytes; at most \(JobCodec.maxBodyBytes) are allowed"
      await completer.deadLetter(delivery, envelope: envelope, reason: .oversize, detail: detail, cause: "size")
      return nil
    }
    guard let worker = workers[envelope.kind] else {
      let detail = "no worker for kind \(envelope.kind) in pool \(pool.name)"
      await completer.deadLetter(delivery, envelope: envelope, reason: .unknownKind, detail: detail, cause: "kind")
      return nil
    }
    return ValidatedJob(delivery: delivery, envelope: envelope, worker: worker)
  }

  // MARK: 2. Redelivered, or a later attempt

  /// Looks up the history of earlier deliveries, and isolates a job that may have crashed processes.
  private func executeRedelivered(_ job: ValidatedJob) async {
    let (delivery, envelope) = (job.delivery, job.envelope)
    let history = await completer.retryingStoreCall("history") { try await store.history(of: envelope.jobRun) }
    guard let history else { return completer.requeueUnstarted(delivery, envelope: envelope) }
    // A copy of a completed job: its worker must not be called, since effects outside the store cannot be rolled back.
    guard !history.hasReceipt else { return await completer.complete(delivery, envelope: envelope, outcome: nil) }
    if await parkIfPaused(job) { return }
    guard delivery.redelivered else { return await start([job]) }
    guard history.starts > 0 else { return await markStartAndStart(job) }

    // The first start of all is not marked and not counted: it is unknown whether that process ran the job or had only
    // prefetched it.
    guard history.starts < pool.maxCrashes else {
      let detail = "\(history.starts) attempts ended with the loss of their process or connection"
      return await completer.deadLetter(delivery, envelope: envelope, reason: .crashed, detail: detail, cause: "crash")
    }
    logger.warning(
      "job was redelivered after a crash; running it alone",
      metadata: ["job": "\(envelope.jobRun)", "pool": "\(pool.name)", "crashes": "\(history.starts)"])
    let delay = Self.poisonDelay(afterStarts: history.starts) - (history.timeSinceLastStart ?? .zero)
    if delay > .zero { try? await TimeSource.sleep(for: delay) }
    let hasRun =
      await Task.isCancelled
      ? false
      : poisonLock.withLock {
        // Its kind may have been paused for the crashes while this one waited.
        if await !parkIfPaused(job) { await markStartAndStart(job) }
      }
    if !hasRun { completer.requeueUnstarted(delivery, envelope: envelope) }
  }

  private func markStartAndStart(_ job: ValidatedJob) async {
    let starts = await completer.retryingStoreCall("mark_start") {
      try await store.markStart(job.envelope.jobRun, node: node)
    }
    guard starts != nil else { return completer.requeueUnstarted(job.delivery, envelope: job.envelope) }
    await start([job])
  }

  /// The least time between two starts of a poison job: 1 s, doubled with each start, at most 8 s. Processes that are
  /// killed in quick succession for other reasons do not count against it, and a job that does crash processes cannot
  /// end all of them at once.
  static func poisonDelay(afterStarts starts: Int) -> Duration { .seconds(1 << min(max(starts - 1, 0), 3)) }

  // MARK: 3. Park if paused

  /// Parks the job where its kind is paused; false where it is not.
  private func parkIfPaused(_ job: ValidatedJob) async -> Bool {
    guard pausedKinds.contains(job.envelope.kind) else { return false }
    await completer.park(job.delivery, envelope: job.envelope)
    // The kind may have been resumed after it was checked and before the job was parked.
    pausedKinds.didPark(job.envelope.kind)
    return true
  }

  // MARK: 4. Decode

  private func start(_ jobs: [ValidatedJob]) async {
    var decoded: [DecodedJob] = []
    for job in jobs {
      if let job = await decode(job) { decoded.append(job) }
    }
    guard let first = decoded.first else { return }
    if first.worker.takesBatches { return await attempt(decoded) }
    for job in decoded { await attempt([job]) }
  }

  private func decode(_ job: ValidatedJob) async -> DecodedJob? {
    let (delivery, envelope) = (job.delivery, job.envelope)
    do {
      let decoded = DecodedJob(
        delivery: delivery, envelope: envelope, worker: job.worker, job: try job.worker.decode(envelope))
      metrics.queueWait(TimeSource.date.timeIntervalSince(envelope.enqueuedAt), kind: envelope.kind)
      guard let isExpired = await isExpired(envelope) else {
        await completer.requeue(delivery, envelope: envelope)
        return nil
      }
      guard isExpired else { return decoded }
      let outcome = JobOutcome.cancelled(reason: "its deadline passed before it was started")
      await attemptBatch([decoded]) { _, open, _ in open.map { _ in outcome } }
    } catch let error as JobCodec.Failure {
      if case .newerSchema = error {
        await completer.deadLetter(
          delivery, envelope: envelope, reason: .newerSchema, detail: error.description, cause: "schema")
      } else {
        await completer.deadLetter(
          delivery, envelope: envelope, reason: .unreadable, detail: error.description, cause: "body")
      }
    } catch {
      await completer.deadLetter(delivery, envelope: envelope, reason: .unreadable, detail: "\(error)", cause: "body")
    }
    return nil
  }

  /// Whether the job's deadline has passed; nil where the task was cancelled before that was known. Where this node's
  /// clock says so the store's is asked as well: a clock that has jumped must not cancel jobs.
  private func isExpired(_ envelope: JobEnvelope) async -> Bool? {
    guard let deadline = envelope.deadline, deadline < now() else { return false }
    return await completer.retryingStoreCall("now") { try await store.now() }.map { deadline < $0 }
  }

  // MARK: 5. Throttle

  private func attempt(_ jobs: [DecodedJob]) async {
    guard let first = jobs.first else { return }
    // A pool with a rate limit gathers no batches: there is one job.
    if let delay = await throttle?.wait(first.job.rateKey) {
      let outcome = JobOutcome.snoozed(for: delay, reason: "the pool's rate limit is reached")
      let outcomes = Dictionary(jobs.map { ($0.jobRun, outcome) }) { first, _ in first }
      return await settle(jobs, .completed(outcomes: outcomes, outbox: []))
    }
    switch first.worker.handler {
    case .single(let work):
      await settle([first], await retryingAttempt { try await runWorker(work, for: first) })
    case .batch(let work):
      await attemptBatch(jobs) { transaction, open, followUps in
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
    }
    if let committed = transactions.committed {
      return .completed(outcomes: [job.jobRun: outcome], outbox: committed.outboxEntries)
    }
    if case .snoozed = outcome { return .completed(outcomes: [job.jobRun: outcome], outbox: []) }
    // The worker had no effects: the receipt alone.
    return try await runBatch([job]) { _, _, _ in [outcome] }
  }

  /// Runs a batch; when it fails, each half by itself, so that only the job at fault fails.
  private func attemptBatch(_ jobs: [DecodedJob], _ body: @escaping BatchBody) async {
    let result = await retryingAttempt { try await runBatch(jobs, body) }
    guard case .failed = result, jobs.count > 1 else { return await settle(jobs, result) }
    await attemptBatch(Array(jobs[..<(jobs.count / 2)]), body)
    await attemptBatch(Array(jobs[(jobs.count / 2)...]), body)
  }

  private func runBatch(_ jobs: [DecodedJob], _ body: @escaping BatchBody) async throws -> AttemptResult {
    guard let kind = jobs.first?.envelope.kind else { return .hadReceipt }
    let start = TimeSource.now
    let timeout = pool.timeout(of: kind)
    defer { metrics.attemptDuration(TimeSource.now - start, kind: kind) }
    let completion = try await withTimeout(timeout) {
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
      JobReceipt(
        jobRun: $0.jobRun, kind: $0.envelope.kind, pool: pool.name, isCounted: $0.envelope.isCounted)
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

  private func settle(_ jobs: [DecodedJob], _ result: AttemptResult) async {
    switch result {
    case .completed(let outcomes, let entries):
      Failpoint.afterCommit.visit()
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
    case .interrupted:
      for job in jobs { await completer.requeue(job.delivery, envelope: job.envelope) }
    }
  }

  // MARK: Time and retries

  /// How often a batch's transaction is retried after contention before the attempt counts as failed; a single job's
  /// is run again until shortly before its timeout (``SingleAttempt``).
  private var contentionRetriesMax: Int { 10 }

  /// Runs an attempt again while the store is unavailable or the commit is in doubt, which is not the job's fault.
  private func retryingAttempt(_ attempt: () async throws -> AttemptResult) async -> AttemptResult {
    var contentions = 0
    do {
      return try await retrying(
        backoff: Backoff(initial: .milliseconds(50), max: .seconds(2)),
        decide: { error in
          guard let error = error as? JobStoreError else { return .giveUp }
          guard error == .contention else {
            logger.warning(
              "job store unavailable; retrying the transaction",
              metadata: ["pool": "\(pool.name)", "error": "\(error)"])
            return .retry
          }
          contentions += 1
          guard contentions <= contentionRetriesMax else { return .giveUp }
          var generator = TimeSource.generator
          return .retryAfter(.milliseconds(Int64.random(in: 1...20, using: &generator)))
        }, { _ in try await attempt() })
    } catch {
      // A cancellation from outside; the attempt's own timeout throws AttemptTimedOut.
      return Task.isCancelled ? .interrupted : .failed(error)
    }
  }

  /// The store's calls end some time before the attempt does, so that a silent store is not taken for a slow worker.
  private static func storeDeadline(_ start: ContinuousClock.Instant, _ timeout: Duration) -> ContinuousClock.Instant {
    start + timeout - min(timeout / 4, .seconds(4))
  }

  /// Runs the work; at the timeout it is cancelled and known to have ended before anything else happens.
  private func withTimeout<Value: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    do {
      return try await withDeadline(TimeSource.now + timeout, body)
    } catch is DeadlineExceeded {
      throw AttemptTimedOut(after: timeout)
    }
  }
}
