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
/// 5. `throttle`: a job waits for the pool's rate limit, or is snoozed until its turn.
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
  let contention: OutageLog
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
    /// Others held locks for too long, or the server cancelled the transaction: the job is not at fault.
    case contended
    /// The task was cancelled, because the process is stopping; or the store stayed unavailable for almost as long as
    /// the broker lets a delivery be held.
    case interrupted

    static var hadReceipt: AttemptResult { .completed(outcomes: [:], outbox: []) }
  }

  typealias BatchBody = @Sendable (Store.Transaction, [DecodedJob], inout FollowUps) async throws -> [JobOutcome]

  /// Executes one job, or a batch of one kind; requeues it when the task is cancelled.
  func execute(_ deliveries: [JobDelivery], in slot: WorkerSlot) async {
    Failpoint.jobFetched.visit()
    var jobs: [ValidatedJob] = []
    for delivery in deliveries {
      if let job = await validate(delivery) { jobs.append(job) }
    }
    // The buffer hands out redelivered jobs one by one. A batch's transaction writes its receipts first anyway.
    if let only = jobs.first, jobs.count == 1,
      only.delivery.redelivered || only.envelope.attempt > 1 && !only.worker.takesBatches
    {
      return await executeRedelivered(only, in: slot)
    }
    var unpaused: [ValidatedJob] = []
    for job in jobs where await !parkIfPaused(job) { unpaused.append(job) }
    await start(unpaused, in: slot)
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
  private func executeRedelivered(_ job: ValidatedJob, in slot: WorkerSlot) async {
    let (delivery, envelope) = (job.delivery, job.envelope)
    let history = await completer.retryingStoreCall("history") { try await store.history(of: envelope.jobRun) }
    guard let history else { return completer.requeueUnstarted(delivery, envelope: envelope) }
    // A copy of a completed job: its worker must not be called, since effects outside the store cannot be rolled back.
    guard !history.hasReceipt else { return await completer.complete(delivery, envelope: envelope, outcome: nil) }
    if await parkIfPaused(job) { return }
    guard delivery.redelivered else { return await start([job], in: slot) }
    guard history.starts > 0 else { return await markStartAndStart(job, in: slot) }

    // The first start of all is not marked and not counted: it is unknown whether that process ran the job or had only
    // prefetched it.
    guard history.starts < pool.maxCrashes else {
      let detail = "\(history.starts) attempts ended with the loss of their process or connection"
      return await completer.deadLetter(delivery, envelope: envelope, reason: .crashed, detail: detail, cause: "crash")
    }
    logger.warning(
      "job was redelivered after a crash; running it alone",
      metadata: ["job": "\(envelope.jobRun)", "pool": "\(pool.name)", "crashes": "\(history.starts)"])
    await executeAlone(
      job, after: Self.poisonDelay(afterStarts: history.starts) - (history.timeSinceLastStart ?? .zero), in: slot)
  }

  /// Runs a poison job when no other one runs in this process. While it waits, another job has its worker's place;
  /// where too many wait already it keeps the place, and is requeued when its turn does not come soon.
  private func executeAlone(_ job: ValidatedJob, after delay: Duration, in slot: WorkerSlot) async {
    let hasLeft = slot.leave()
    if delay > .zero { try? await TimeSource.sleep(for: delay) }
    let timeout = pool.timeout(of: job.envelope.kind)
    let end = hasLeft ? slot.lastStart(timeout) : min(slot.lastStart(timeout), TimeSource.now + Self.poisonWaitMax)
    let hasRun =
      await Task.isCancelled
      ? false
      : poisonLock.withLock(until: end) {
        if hasLeft { slot.takeBack() }
        // Its kind may have been paused for the crashes while this one waited.
        if await !parkIfPaused(job) { await markStartAndStart(job, in: slot) }
      }
    guard !hasRun else { return }
    if hasLeft { slot.takeBack() }
    completer.requeueUnstarted(job.delivery, envelope: job.envelope)
  }

  private func markStartAndStart(_ job: ValidatedJob, in slot: WorkerSlot) async {
    let starts = await completer.retryingStoreCall("mark_start") {
      try await store.markStart(job.envelope.jobRun, node: node)
    }
    guard starts != nil else { return completer.requeueUnstarted(job.delivery, envelope: job.envelope) }
    await start([job], in: slot)
  }

  /// How long a poison job waits in a worker's place.
  private static var poisonWaitMax: Duration { .seconds(10) }

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

  private func start(_ jobs: [ValidatedJob], in slot: WorkerSlot) async {
    var decoded: [DecodedJob] = []
    for job in jobs {
      if let job = await decode(job, in: slot) { decoded.append(job) }
    }
    guard let first = decoded.first else { return }
    if first.worker.takesBatches { return await attempt(decoded, in: slot) }
    for job in decoded { await attempt([job], in: slot) }
  }

  private func decode(_ job: ValidatedJob, in slot: WorkerSlot) async -> DecodedJob? {
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
      await attemptBatch([decoded], in: slot) { _, open, _ in open.map { _ in outcome } }
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
}
