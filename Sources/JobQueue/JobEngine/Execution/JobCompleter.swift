internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging

/// The ways a job leaves this node: completed, snoozed, retried, parked, dead-lettered or requeued. The job is
/// persisted elsewhere before its delivery is acknowledged.
struct JobCompleter<Store: JobStore>: Sendable {
  let pool: PoolConfiguration
  let retryTiers: RetryTiers
  let store: Store
  let broker: any JobBroker
  let metrics: PoolMetrics
  let logger: Logger
  let retryingJobs = RetryingJobs()

  /// Jobs snoozed for longer than this are scheduled in PostgreSQL even if a tier would do: their instant should hold.
  private var snoozeTierMax: Duration { .seconds(2) }

  /// After the commit: acknowledges the delivery, or snoozes the job.
  ///
  /// - Parameter outcome: nil: the run had its receipt before.
  func complete(_ delivery: JobDelivery, envelope: JobEnvelope, outcome: JobOutcome?) async {
    switch outcome {
    case nil: metrics.processed(.duplicate, kind: envelope.kind)
    case .completed: metrics.processed(.completed, kind: envelope.kind)
    case .cancelled(let reason):
      logger.info("job cancelled", metadata: metadata(envelope, ["reason": "\(reason)"]))
      metrics.processed(.cancelled, kind: envelope.kind)
    case .snoozed(let delay, _): return await snooze(delivery, envelope: envelope, for: delay)
    }
    await clearStarts(of: delivery, envelope: envelope)
    delivery.acknowledge()
  }

  /// After a failed attempt: enqueues or schedules the next one, or makes the job a dead letter.
  func fail(_ delivery: JobDelivery, envelope: JobEnvelope, error: any Error, decision: RetryDecision) async {
    let description = ErrorDescription(error)
    func endAsDeadLetter(_ reason: DeadLetterReason) async {
      await deadLetter(
        delivery, envelope: envelope, reason: reason, detail: description.detail, cause: description.cause)
    }
    if decision == .never { return await endAsDeadLetter(.permanentError) }
    var generator = TimeSource.generator
    guard var delay = pool.retry.delay(afterAttempt: envelope.attempt, using: &generator) else {
      return await endAsDeadLetter(.attemptsExhausted)
    }
    if case .after(let requested) = decision { delay = requested }
    logger.warning(
      "attempt failed; retrying",
      metadata: metadata(
        envelope,
        ["attempt": "\(envelope.attempt)", "delay": "\(delay)", "error": "\(description.detail)"]))
    var next = envelope
    next.attempt += 1
    // A drawn delay may be rounded to a tier; one that was asked for holds.
    let end = await enqueueOrSchedule(next, after: delay, mayUseTier: decision == .default)
    Failpoint.afterRetryPublish.visit()
    await acknowledge(delivery, envelope: envelope, end, as: .retried)
  }

  private func snooze(_ delivery: JobDelivery, envelope: JobEnvelope, for delay: Duration) async {
    let end = await enqueueOrSchedule(envelope, after: delay, mayUseTier: delay <= snoozeTierMax)
    Failpoint.afterSchedule.visit()
    await acknowledge(delivery, envelope: envelope, end, as: .snoozed)
  }

  /// After contention: the same attempt again, a little later.
  func snoozeContended(_ delivery: JobDelivery, envelope: JobEnvelope) async {
    metrics.contended()
    var generator = TimeSource.generator
    let delay = Duration.milliseconds(Int64.random(in: 1_000...5_000, using: &generator))
    // Through the broker: whoever holds the locks may hold them on the tables of the job store.
    let end = await enqueueOrSchedule(envelope, after: delay, mayUseTier: true)
    Failpoint.afterSchedule.visit()
    await acknowledge(delivery, envelope: envelope, end, as: .snoozed)
  }

  /// Parks a job whose kind is paused.
  func park(_ delivery: JobDelivery, envelope: JobEnvelope) async {
    let isParked = await retryingStoreCall("park") { try await store.park(envelope, pool: pool.name) } != nil
    guard isParked else { return requeueUnstarted(delivery, envelope: envelope) }
    // It was not started here: the start markers are other processes' and stay.
    metrics.processed(.parked, kind: envelope.kind)
    delivery.acknowledge()
  }

  /// Publishes the job to its pool's dead letters.
  ///
  /// - Parameter envelope: nil: the message is unreadable.
  func deadLetter(
    _ delivery: JobDelivery, envelope: JobEnvelope?, reason: DeadLetterReason, detail: String, cause: String
  ) async {
    let envelope = envelope ?? JobEnvelope(id: delivery.contentID, run: 0, kind: "unreadable", body: delivery.body)
    let info = DeadLetterInfo(
      reason: reason, detail: detail, cause: cause, kind: envelope.kind.rawValue, pool: pool.name,
      attempts: envelope.attempt, at: TimeSource.date)
    logger.error(
      "job is dead", metadata: metadata(envelope, ["reason": "\(reason.rawValue)", "detail": "\(info.detail)"]))
    var end = await enqueueUntilConfirmed(OutgoingJob(envelope, to: .dead(pool: pool.name, info)))
    if end == .refused {
      let remains = Self.remains(of: envelope, contentID: delivery.contentID, info)
      end = await enqueueUntilConfirmed(OutgoingJob(remains.envelope, to: .dead(pool: pool.name, remains.info)))
    }
    Failpoint.afterDeadLetterPublish.visit()
    // What is left of a refused one is small: were it refused as well, the job would be delivered again.
    await acknowledge(delivery, envelope: envelope, end == .refused ? .interrupted : end, as: .dead)
  }

  /// The dead letter of a message that is too large to be published: its job, size and hash, without the body.
  private static func remains(
    of envelope: JobEnvelope, contentID: JobID, _ info: DeadLetterInfo
  ) -> (envelope: JobEnvelope, info: DeadLetterInfo) {
    var digest = ContentDigest()
    digest.append(envelope.body)
    let size = "job \(envelope.jobRun) is too large to be published; its body of \(envelope.body.count) bytes"
    return (
      JobEnvelope(id: contentID, run: 0, kind: "unreadable", body: Data()),
      DeadLetterInfo(
        reason: .oversize, detail: "\(size) (hash \(digest.shortHex)) was not kept. Dead: \(info.detail)",
        cause: "size",
        kind: envelope.kind.rawValue, pool: info.pool, attempts: info.attempts, at: info.at)
    )
  }

  /// Requeues a job that was started, untouched: neither an attempt nor a crash.
  func requeue(_ delivery: JobDelivery, envelope: JobEnvelope) async {
    await clearStarts(of: delivery, envelope: envelope)
    requeueUnstarted(delivery, envelope: envelope)
  }

  /// Requeues a job that was not started here: the start markers are other processes' and stay.
  func requeueUnstarted(_ delivery: JobDelivery, envelope: JobEnvelope) {
    metrics.processed(.requeued, kind: envelope.kind)
    delivery.requeue()
  }

  // MARK: Persisting the job elsewhere

  /// How persisting a job elsewhere ended.
  private enum PersistEnd {
    case kept
    /// The broker never takes it: it is too large.
    case refused
    /// The task was cancelled first, or the store refused the job three times.
    case interrupted
  }

  /// Sends the job through a retry tier where it may and one is near enough, otherwise schedules it in PostgreSQL.
  private func enqueueOrSchedule(
    _ envelope: JobEnvelope, after delay: Duration, mayUseTier: Bool
  ) async -> PersistEnd {
    var generator = TimeSource.generator
    if mayUseTier, let tier = retryTiers.tier(for: delay, using: &generator) {
      let end = await enqueueUntilConfirmed(OutgoingJob(envelope, to: .retry(after: tier, pool: pool.name)))
      if end == .kept { retryingJobs.added(to: tier) }
      return end
    }
    let scheduled: Void? = await retryingStoreCall("schedule") {
      try await store.schedule(envelope, pool: pool.name, after: delay)
    }
    return scheduled == nil ? .interrupted : .kept
  }

  /// Enqueues until the broker holds the job or refuses it.
  private func enqueueUntilConfirmed(_ job: OutgoingJob) async -> PersistEnd {
    do {
      return try await retrying(
        backoff: Backoff(initial: .milliseconds(50), max: .seconds(2)),
        decide: { error in
          let result = (error as? NotEnqueued)?.result ?? .unavailable
          logger.warning("enqueueing failed; retrying", metadata: metadata(job.envelope, ["result": "\(result)"]))
          return .retry
        },
        { _ in
          let result = await broker.enqueue([job], deadline: TimeSource.now + .seconds(10)).first ?? .unavailable
          switch result {
          case .enqueued: return .kept
          case .refused: return .refused
          case .unroutable, .unavailable, .inDoubt: throw NotEnqueued(result: result)
          }
        })
    } catch {
      return .interrupted
    }
  }

  /// How long a store call is repeated before the delivery is given back: the broker does not let it be held for ever.
  private var storeCallMax: Duration { .seconds(120) }

  /// Runs a store call until it succeeds; nil when the task is cancelled first, the store refuses it three times, or it
  /// has failed for two minutes.
  func retryingStoreCall<Value>(_ operation: String, _ body: () async throws -> Value) async -> Value? {
    var refusals = 0
    return try? await retrying(
      until: TimeSource.now + storeCallMax, backoff: Backoff(initial: .milliseconds(50), max: .seconds(2)),
      decide: { error in
        if !(error is JobStoreError) { refusals += 1 }
        logger.warning(
          "job store call failed; retrying", metadata: ["operation": "\(operation)", "error": "\(error)"])
        return refusals < 3 ? .retry : .giveUp
      }, { _ in try await body() })
  }

  private func acknowledge(
    _ delivery: JobDelivery, envelope: JobEnvelope, _ end: PersistEnd, as outcome: PoolMetrics.Outcome
  ) async {
    switch end {
    case .kept: break
    case .interrupted: return await requeue(delivery, envelope: envelope)
    case .refused:
      return await deadLetter(
        delivery, envelope: envelope, reason: .oversize, detail: "the broker takes no message of its size",
        cause: "size")
    }
    await clearStarts(of: delivery, envelope: envelope)
    metrics.processed(outcome, kind: envelope.kind)
    delivery.acknowledge()
  }

  /// Removes the start markers of a redelivered job: its attempt ended without a crash. When this fails, the only
  /// cost is an early dead letter after later crashes.
  private func clearStarts(of delivery: JobDelivery, envelope: JobEnvelope) async {
    guard delivery.redelivered else { return }
    // This task is cancelled when a shutdown interrupts the job.
    await TimeSource.withCancellationShield {
      try? await withDeadline(TimeSource.now + .seconds(1)) { try await store.clearStarts(envelope.jobRun) }
    }
  }

  private func metadata(_ envelope: JobEnvelope, _ more: Logger.Metadata) -> Logger.Metadata {
    more.merging(["job": "\(envelope.jobRun)", "kind": "\(envelope.kind)", "pool": "\(pool.name)"]) { mine, _ in mine }
  }
}

/// Why the broker does not hold a job.
private struct NotEnqueued: Error { let result: EnqueueResult }
