internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging

/// The ways a job leaves a worker: done, put off, retried, dead, or given back. Each keeps the job somewhere before it
/// lets go of it here.
struct JobCompleter<Store: JobStore>: Sendable {
  let pool: PoolConfiguration
  let retryTiers: RetryTiers
  let store: Store
  let broker: any JobBroker
  let logger: Logger

  /// Jobs put off for longer than this wait in PostgreSQL even if a tier would do: their instant should hold.
  private var snoozeTierMax: Duration { .seconds(2) }

  /// After a commit. `outcome` is nil where the job had its receipt before.
  func complete(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ outcome: JobOutcome?) async {
    switch outcome {
    case nil: count(.duplicate, envelope)
    case .completed: count(.completed, envelope)
    case .cancelled(let reason):
      logger.info("job cancelled", metadata: metadata(envelope, ["reason": "\(reason)"]))
      count(.cancelled, envelope)
    case .snoozed(let pause, _): return await snooze(delivery, envelope, pause)
    }
    await clearStarts(delivery, envelope)
    delivery.acknowledge()
  }

  /// After a failed attempt.
  func fail(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ error: any Error, _ decision: RetryDecision) async {
    let safe = ErrorDescription(error)
    let (detail, cause) = (safe.detail, safe.cause)
    if decision == .never { return await deadLetter(delivery, envelope, .permanentError, detail: detail, cause: cause) }
    var generator = TimeSource.generator
    guard var pause = pool.retry.delay(afterAttempt: envelope.attempt, using: &generator) else {
      return await deadLetter(delivery, envelope, .attemptsExhausted, detail: detail, cause: cause)
    }
    if case .after(let wished) = decision { pause = wished }
    logger.warning(
      "attempt failed; trying again",
      metadata: metadata(envelope, ["attempt": "\(envelope.attempt)", "pause": "\(pause)", "error": "\(detail)"]))
    var next = envelope
    next.attempt += 1
    let isEnqueued: Bool
    // A tier is rounded to; a pause that was asked for holds.
    if decision == .default, let tier = retryTiers.tier(for: pause, using: &generator) {
      isEnqueued = await enqueueUntilConfirmed(OutgoingJob(next, to: .retry(after: tier, pool: pool.name)))
    } else {
      isEnqueued = await schedule(next, pause)
    }
    Failpoint.afterRetryPublish.visit()
    await acknowledgeIfKept(delivery, envelope, isEnqueued, .retried)
  }

  private func snooze(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ pause: Duration) async {
    var generator = TimeSource.generator
    let isEnqueued: Bool
    if pause <= snoozeTierMax, let tier = retryTiers.tier(for: pause, using: &generator) {
      isEnqueued = await enqueueUntilConfirmed(OutgoingJob(envelope, to: .retry(after: tier, pool: pool.name)))
    } else {
      isEnqueued = await schedule(envelope, pause)
    }
    Failpoint.afterSchedule.visit()
    await acknowledgeIfKept(delivery, envelope, isEnqueued, .snoozed)
  }

  /// Puts a job aside whose kind is paused.
  func park(_ delivery: JobDelivery, _ envelope: JobEnvelope) async {
    let isEnqueued = await retryingStoreCall("parking a job") { try await store.park(envelope, pool: pool.name) } != nil
    guard isEnqueued else { return requeueUnstarted(delivery, envelope) }
    // It was not begun here: what is marked of it was marked by others, and stays.
    count(.parked, envelope)
    delivery.acknowledge()
  }

  /// Sends the job to its pool's dead letters; `envelope` is nil where none could be read.
  func deadLetter(
    _ delivery: JobDelivery, _ envelope: JobEnvelope?, _ reason: DeadLetterReason, detail: String, cause: String
  )
    async
  {
    let deadEnvelope = envelope ?? JobEnvelope(id: delivery.bodyID, run: 0, kind: "unreadable", body: delivery.body)
    let deadLetterInfo = DeadLetterInfo(
      reason: reason, detail: detail, cause: cause, kind: deadEnvelope.kind.rawValue, pool: pool.name,
      attempts: deadEnvelope.attempt,
      at: TimeSource.date)
    logger.error(
      "job is dead",
      metadata: metadata(deadEnvelope, ["reason": "\(reason.rawValue)", "detail": "\(deadLetterInfo.detail)"]))
    let isEnqueued = await enqueueUntilConfirmed(OutgoingJob(deadEnvelope, to: .dead(pool: pool.name, deadLetterInfo)))
    Failpoint.afterDeadLetterPublish.visit()
    await acknowledgeIfKept(delivery, deadEnvelope, isEnqueued, .dead)
  }

  /// Gives the job back to its queue, untouched: neither an attempt nor a crash.
  func requeue(_ delivery: JobDelivery, _ envelope: JobEnvelope) async {
    await clearStarts(delivery, envelope)
    requeueUnstarted(delivery, envelope)
  }

  /// Gives back a job that was not begun here: what is marked of it was marked by others, and stays.
  func requeueUnstarted(_ delivery: JobDelivery, _ envelope: JobEnvelope) {
    count(.requeued, envelope)
    delivery.requeue()
  }

  /// Takes the marks of a redelivered job back: its attempt came to a proper end, so what was marked was no crash.
  /// Losing this costs nothing but an early death after many crashes.
  private func clearStarts(_ delivery: JobDelivery, _ envelope: JobEnvelope) async {
    guard delivery.redelivered else { return }
    // In a task of its own, because this one is cancelled when a shutdown interrupts the job.
    await TimeSource.withCancellationShield {
      try? await withDeadline(TimeSource.now + .seconds(1)) { try await store.clearStarts(envelope.jobRun) }
    }
  }

  /// Runs a store call until it succeeds; nil when the task is cancelled first, or the store refuses it three times.
  func retryingStoreCall<Value>(_ what: String, _ body: () async throws -> Value) async -> Value? {
    var backoff = Backoff(initial: .milliseconds(50), max: .seconds(2))
    var refusals = 0
    while !Task.isCancelled, refusals < 3 {
      do { return try await body() } catch {
        if !(error is JobStoreError) { refusals += 1 }
        logger.warning(
          "the store cannot be reached; trying again", metadata: ["doing": "\(what)", "error": "\(error)"])
        try? await TimeSource.sleep(for: backoff.next())
      }
    }
    return nil
  }

  private func schedule(_ envelope: JobEnvelope, _ pause: Duration) async -> Bool {
    await retryingStoreCall("scheduling a job") { try await store.schedule(envelope, pool: pool.name, for: pause) }
      != nil
  }

  /// Enqueues until the broker holds the job; false when the task is cancelled first.
  private func enqueueUntilConfirmed(_ job: OutgoingJob) async -> Bool {
    var backoff = Backoff(initial: .milliseconds(50), max: .seconds(2))
    while !Task.isCancelled {
      let outcome = await broker.enqueue([job], deadline: TimeSource.now + .seconds(10)).first
      if outcome == .enqueued { return true }
      logger.warning(
        "a job cannot be passed on; trying again",
        metadata: metadata(job.envelope, ["outcome": "\(outcome ?? .unavailable)"]))
      try? await TimeSource.sleep(for: backoff.next())
    }
    return false
  }

  private func acknowledgeIfKept(
    _ delivery: JobDelivery, _ envelope: JobEnvelope, _ isEnqueued: Bool, _ outcome: JobMetrics.Outcome
  )
    async
  {
    guard isEnqueued else { return await requeue(delivery, envelope) }
    await clearStarts(delivery, envelope)
    count(outcome, envelope)
    delivery.acknowledge()
  }

  private func count(_ outcome: JobMetrics.Outcome, _ envelope: JobEnvelope) {
    JobMetrics.ended(outcome, pool: pool.name, kind: envelope.kind)
  }

  private func metadata(_ envelope: JobEnvelope, _ more: Logger.Metadata) -> Logger.Metadata {
    more.merging(["job": "\(envelope.jobRun)", "kind": "\(envelope.kind)", "pool": "\(pool.name)"]) { mine, _ in mine }
  }
}
