internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Wires

/// The ways a job leaves a worker: done, put off, retried, dead, or given back. Each keeps the job somewhere before it
/// lets go of it here.
struct JobExits<Ledger: JobLedger>: Sendable {
  let pool: PoolConfiguration
  let ladder: RetryLadder
  let ledger: Ledger
  let broker: any JobBroker
  let logger: Logger

  /// Jobs put off for longer than this wait in PostgreSQL even if a tier would do: their instant should be kept.
  private var snoozeTierMax: Duration { .seconds(2) }

  /// After a commit. `outcome` is nil where the job had its receipt before.
  func leave(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ outcome: JobOutcome?) async {
    switch outcome {
    case nil: count(.duplicate, envelope)
    case .completed: count(.completed, envelope)
    case .discarded(let reason):
      logger.info("job discarded", metadata: metadata(envelope, ["reason": "\(reason)"]))
      count(.discarded, envelope)
    case .snoozed(let pause, _): return await snooze(delivery, envelope, pause)
    }
    await clearStarts(delivery, envelope)
    delivery.acknowledge()
  }

  /// After a failed attempt.
  func fail(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ error: any Error, _ advice: RetryAdvice) async {
    let safe = ErrorDescription(error)
    let (detail, cause) = (safe.detail, safe.cause)
    if advice == .never { return await bury(delivery, envelope, .permanentError, detail: detail, cause: cause) }
    var generator = CurrentRuntime.generator
    guard var pause = pool.retry.delay(afterAttempt: envelope.attempt, using: &generator) else {
      return await bury(delivery, envelope, .attemptsExhausted, detail: detail, cause: cause)
    }
    if case .after(let wished) = advice { pause = wished }
    logger.warning(
      "attempt failed; trying again",
      metadata: metadata(envelope, ["attempt": "\(envelope.attempt)", "pause": "\(pause)", "error": "\(detail)"]))
    var next = envelope
    next.attempt += 1
    let isKept: Bool
    // A tier is rounded to; a pause that was asked for is kept.
    if advice == .usual, let tier = ladder.tier(for: pause, using: &generator) {
      isKept = await keep(OutgoingJob(next, to: .retry(after: tier, pool: pool.name)))
    } else {
      isKept = await delay(next, pause)
    }
    Failpoint.afterRetryPublish.visit()
    await finish(delivery, envelope, isKept, .retried)
  }

  private func snooze(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ pause: Duration) async {
    var generator = CurrentRuntime.generator
    let isKept: Bool
    if pause <= snoozeTierMax, let tier = ladder.tier(for: pause, using: &generator) {
      isKept = await keep(OutgoingJob(envelope, to: .retry(after: tier, pool: pool.name)))
    } else {
      isKept = await delay(envelope, pause)
    }
    Failpoint.afterDelay.visit()
    await finish(delivery, envelope, isKept, .snoozed)
  }

  /// Puts a job aside whose kind is paused.
  func park(_ delivery: JobDelivery, _ envelope: JobEnvelope) async {
    let isKept = await persist("parking a job") { try await ledger.park(envelope, pool: pool.name) } != nil
    guard isKept else { return giveBackUnbegun(delivery, envelope) }
    // It was not begun here: what is marked of it was marked by others, and stays.
    count(.parked, envelope)
    delivery.acknowledge()
  }

  /// Sends the job to its pool's dead letters; `envelope` is nil where none could be read.
  func bury(_ delivery: JobDelivery, _ envelope: JobEnvelope?, _ reason: DeathReason, detail: String, cause: String)
    async
  {
    let carrier = envelope ?? JobEnvelope(id: delivery.bodyID, run: 0, kind: "unreadable", body: delivery.body)
    let certificate = DeathCertificate(
      reason: reason, detail: detail, cause: cause, kind: carrier.kind.rawValue, pool: pool.name,
      attempts: carrier.attempt,
      at: CurrentRuntime.date)
    logger.error(
      "job is dead", metadata: metadata(carrier, ["reason": "\(reason.rawValue)", "detail": "\(certificate.detail)"]))
    let isKept = await keep(OutgoingJob(carrier, to: .dead(pool: pool.name, certificate)))
    Failpoint.afterDeadPublish.visit()
    await finish(delivery, carrier, isKept, .dead)
  }

  /// Gives the job back to its queue, untouched: neither an attempt nor a crash.
  func giveBack(_ delivery: JobDelivery, _ envelope: JobEnvelope) async {
    await clearStarts(delivery, envelope)
    giveBackUnbegun(delivery, envelope)
  }

  /// Gives back a job that was not begun here: what is marked of it was marked by others, and stays.
  func giveBackUnbegun(_ delivery: JobDelivery, _ envelope: JobEnvelope) {
    count(.givenBack, envelope)
    delivery.giveBack()
  }

  /// Takes the marks of a redelivered job back: its attempt came to a proper end, so what was marked was no crash.
  /// Losing this costs nothing but an early death after many crashes.
  private func clearStarts(_ delivery: JobDelivery, _ envelope: JobEnvelope) async {
    guard delivery.redelivered else { return }
    // In a task of its own, because this one is cancelled when a shutdown interrupts the job.
    await CurrentRuntime.shielded {
      try? await withDeadline(CurrentRuntime.now + .seconds(1)) { try await ledger.clearStarts(envelope.jobRun) }
    }
  }

  /// Runs a ledger call until it succeeds; nil when the task is cancelled first, or the ledger refuses it three times.
  func persist<Value>(_ what: String, _ body: () async throws -> Value) async -> Value? {
    var backoff = Backoff(first: .milliseconds(50), most: .seconds(2))
    var refusals = 0
    while !Task.isCancelled, refusals < 3 {
      do { return try await body() } catch {
        if !(error is LedgerError) { refusals += 1 }
        logger.warning(
          "the ledger cannot be reached; trying again", metadata: ["doing": "\(what)", "error": "\(error)"])
        try? await CurrentRuntime.sleep(for: backoff.next())
      }
    }
    return nil
  }

  private func delay(_ envelope: JobEnvelope, _ pause: Duration) async -> Bool {
    await persist("delaying a job") { try await ledger.delay(envelope, pool: pool.name, for: pause) } != nil
  }

  /// Enqueues until the broker holds the job; false when the task is cancelled first.
  private func keep(_ job: OutgoingJob) async -> Bool {
    var backoff = Backoff(first: .milliseconds(50), most: .seconds(2))
    while !Task.isCancelled {
      let outcome = await broker.enqueue([job], deadline: CurrentRuntime.now + .seconds(10)).first
      if outcome == .kept { return true }
      logger.warning(
        "a job cannot be passed on; trying again",
        metadata: metadata(job.envelope, ["outcome": "\(outcome ?? .unavailable)"]))
      try? await CurrentRuntime.sleep(for: backoff.next())
    }
    return false
  }

  private func finish(_ delivery: JobDelivery, _ envelope: JobEnvelope, _ isKept: Bool, _ outcome: JobMetrics.Outcome)
    async
  {
    guard isKept else { return await giveBack(delivery, envelope) }
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
