internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Takes jobs from delivery to their end. The steps, for one job:
///
/// 1. Is it readable, of a sane size and of a known kind? Otherwise it is dead.
/// 2. Did it come back? Then its start is marked; too many starts mean that it kills processes, and it is dead.
/// 3. Is it past its deadline? Then it is discarded.
/// 4. The worker runs when the pool's rate limit lets it, within the timeout; its closing transaction writes the
///    receipt
///    first.
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
  let rate: RateGate?
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
  private enum Verdict {
    case closed([OutboxEntry], [JobRun: JobOutcome])
    case failed(any Error)
    case interrupted
  }

  /// A transaction that lost against another is run again this often before it counts as failed.
  private var contentionMax: Int { 10 }

  /// Brings one job, or a batch of one kind, to its end, or gives it back when the task is cancelled.
  func process(_ deliveries: [JobDelivery]) async {
    Failpoint.jobTaken.visit()
    var ready: [Ready] = []
    for delivery in deliveries {
      if let job = await examine(delivery) { ready.append(job) }
    }
    guard let first = ready.first else { return }
    switch first.worker.doing {
    case .one:
      for job in ready { await attempt([job]) }
    case .many: await attempt(ready)
    }
  }

  // MARK: Steps 1 to 3

  private func examine(_ delivery: JobDelivery) async -> Ready? {
    guard case .job(let envelope) = delivery.content else {
      guard case .unreadable(let reason) = delivery.content else { return nil }
      await exits.bury(delivery, nil, .unreadable, detail: reason, cause: "properties")
      return nil
    }
    guard envelope.body.count <= JobCodec.bodyBytesMax else {
      let detail = "the body has \(envelope.body.count) bytes; at most \(JobCodec.bodyBytesMax) are allowed"
      await exits.bury(delivery, envelope, .oversize, detail: detail, cause: "size")
      return nil
    }
    guard let worker = workers[envelope.kind] else {
      let detail = "no worker of pool \(pool.name) does jobs of kind \(envelope.kind)"
      await exits.bury(delivery, envelope, .unknownKind, detail: detail, cause: "kind")
      return nil
    }
    if delivery.redelivered, await hasCrashedTooOften(delivery, envelope) { return nil }
    // A copy of a job that was closed before: an effect outside of the ledger must not even begin. (A batch's receipts
    // come first anyway.)
    if delivery.redelivered || envelope.attempt > 1, !worker.takesBatches {
      let isClosed = await exits.persist("looking for a receipt") { try await ledger.isClosed(envelope.jobRun) }
      if isClosed != false {
        if isClosed == nil {
          await exits.giveBack(delivery, envelope)
        } else {
          await exits.leave(delivery, envelope, nil)
        }
        return nil
      }
    }
    do {
      let job = try worker.decode(envelope)
      let ready = Ready(delivery: delivery, envelope: envelope, worker: worker, job: job)
      JobMetrics.queueWait(Date().timeIntervalSince(envelope.enqueuedAt), pool: pool.name, kind: envelope.kind)
      if let deadline = envelope.deadline, deadline < Date() {
        await close([ready]) { _, _ in [.discarded(reason: "its deadline passed before it was begun")] }
        return nil
      }
      return ready
    } catch JobCodec.Failure.newerSchema(let found, let known) {
      let failure = JobCodec.Failure.newerSchema(found: found, known: known)
      await exits.bury(delivery, envelope, .newerSchema, detail: failure.description, cause: "schema")
    } catch {
      await exits.bury(delivery, envelope, .unreadable, detail: "\(error)", cause: "body")
    }
    return nil
  }

  private func hasCrashedTooOften(_ delivery: JobDelivery, _ envelope: JobEnvelope) async -> Bool {
    let starts = await exits.persist("marking a start") { try await ledger.markStart(envelope.jobRun, node: node) }
    guard let starts else {
      await exits.giveBack(delivery, envelope)
      return true
    }
    // The first start of all was not marked, being no redelivery; this one is, and is not made.
    guard starts >= pool.maxCrashes else { return false }
    let detail = "\(starts) processes died, or lost their connection, while working on it"
    await exits.bury(delivery, envelope, .crashed, detail: detail, cause: "crash")
    return true
  }

  // MARK: Steps 4 to 6

  private func attempt(_ jobs: [Ready]) async {
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
  private func close(
    _ jobs: [Ready],
    _ body: @escaping @Sendable (Ledger.Transaction, [Ready], inout FollowUps) async throws -> [JobOutcome]
  ) async {
    let verdict = await patiently { try await runBatch(jobs, body) }
    guard case .failed = verdict, jobs.count > 1 else { return await settle(jobs, verdict) }
    await close(Array(jobs[..<(jobs.count / 2)]), body)
    await close(Array(jobs[(jobs.count / 2)...]), body)
  }

  private func close(_ jobs: [Ready], _ outcomes: @escaping @Sendable (Ledger.Transaction, [Ready]) -> [JobOutcome])
    async
  {
    await close(jobs) { transaction, open, _ in outcomes(transaction, open) }
  }

  /// Runs an attempt, again and again while the ledger is away or in doubt (which is no fault of the job), until the
  /// task is cancelled.
  private func patiently(_ attempt: @Sendable () async throws -> Verdict) async -> Verdict {
    var backoff = Backoff(first: .milliseconds(50), most: .seconds(2))
    var lost = 0
    while !Task.isCancelled {
      do {
        return try await attempt()
      } catch LedgerError.contention where lost < contentionMax {
        lost += 1
        try? await Task.sleep(for: .milliseconds(Int64.random(in: 1...20)))
      } catch let error as LedgerError where error != .contention {
        logger.warning("a job waits for the ledger", metadata: ["pool": "\(pool.name)", "error": "\(error)"])
        try? await Task.sleep(for: backoff.next())
      } catch {
        // Cancelled from outside, not by the attempt's own timeout, which throws TimedOut.
        if Task.isCancelled { return .interrupted }
        return .failed(error)
      }
    }
    return .interrupted
  }

  private func runOne(_ ready: Ready, _ work: @escaping RegisteredWorker<Ledger.Transaction>.One) async throws
    -> Verdict
  {
    let start = ContinuousClock.now
    defer { JobMetrics.attempt(.now - start, pool: pool.name, kind: ready.envelope.kind) }
    let closed = Mutex<[OutboxEntry]?>(nil)
    var jobLogger = logger
    jobLogger[metadataKey: "job"] = "\(ready.receipt)"
    jobLogger[metadataKey: "kind"] = "\(ready.envelope.kind)"
    let context = JobContext<Ledger.Transaction>(
      info: JobInfo(ready.envelope), logger: jobLogger, deadline: start + pool.timeout
    ) { body in
      try await insisting(until: ledgerDeadline(start)) {
        try await ledger.transact(deadline: ledgerDeadline(start), body)
      }
    } closer: { body in
      let (entries, outcomes) = try await insisting(until: ledgerDeadline(start)) {
        try await transact([ready], deadline: ledgerDeadline(start)) { transaction, _, followUps in
          [try await body(transaction, &followUps)]
        }
      }
      guard let outcome = outcomes[ready.receipt] else { throw AlreadyClosed() }
      if case .snoozed = outcome {} else { closed.withLock { $0 = entries } }
      return outcome
    }
    let outcome: JobOutcome
    do {
      outcome = try await withTimeout { try await work(ready.job, context) }
    } catch is AlreadyClosed {
      return .closed([], [:])
    }
    if let entries = closed.withLock({ $0 }) { return .closed(entries, [ready.receipt: outcome]) }
    if case .snoozed = outcome { return .closed([], [ready.receipt: outcome]) }
    return try await runBatch([ready]) { _, _, _ in [outcome] }  // the worker had no effects: the receipt alone
  }

  /// Runs a worker's transaction again while the ledger is away, in doubt or contended, as long as the attempt lasts:
  /// what the worker has learned outside of the ledger must not be lost with it.
  private func insisting<Value>(until deadline: ContinuousClock.Instant, _ body: () async throws -> Value) async throws
    -> Value
  {
    var backoff = Backoff(first: .milliseconds(20), most: .seconds(1))
    while true {
      do { return try await body() } catch let error as LedgerError {
        let pause = backoff.next()
        guard .now + pause < deadline, !Task.isCancelled else { throw error }
        try? await Task.sleep(for: pause)
      }
    }
  }

  private func runBatch(
    _ jobs: [Ready],
    _ body: @escaping @Sendable (Ledger.Transaction, [Ready], inout FollowUps) async throws -> [JobOutcome]
  ) async throws -> Verdict {
    let start = ContinuousClock.now
    defer { if let kind = jobs.first?.envelope.kind { JobMetrics.attempt(.now - start, pool: pool.name, kind: kind) } }
    let (entries, outcomes) = try await withTimeout {
      try await transact(jobs, deadline: ledgerDeadline(start), body)
    }
    return .closed(entries, outcomes)
  }

  /// The closing transaction; jobs that had a receipt already are missing from the outcomes.
  private func transact(
    _ jobs: [Ready], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (Ledger.Transaction, [Ready], inout FollowUps) async throws -> [JobOutcome]
  ) async throws -> ([OutboxEntry], [JobRun: JobOutcome]) {
    let outcomesByJob = Mutex<[JobRun: JobOutcome]>([:])
    let receipts = jobs.map { JobReceipt(jobRun: $0.receipt, kind: $0.envelope.kind, pool: pool.name) }
    let entries = try await ledger.close(receipts, deadline: deadline) { transaction, open in
      // The same job twice in one batch is closed once.
      var seen = Set<JobRun>()
      let openJobs = jobs.filter { open.contains($0.receipt) && seen.insert($0.receipt).inserted }
      var followUps = FollowUps()
      let outcomes = try await body(transaction, openJobs, &followUps)
      guard outcomes.count == openJobs.count else {
        throw WrongOutcomeCount(jobs: openJobs.count, outcomes: outcomes.count)
      }
      let byJob = Dictionary(uniqueKeysWithValues: zip(openJobs.map(\.receipt), outcomes))
      if let carrier = try carrier(of: followUps.counts, zip(openJobs, outcomes)) { followUps.enqueue(carrier) }
      outcomesByJob.withLock { $0 = byJob }
      let closing = try closing(byJob, followUps, isAlone: jobs.count == 1)
      Failpoint.beforeCommit.visit()
      return closing
    }
    return (entries, outcomesByJob.withLock { $0 })
  }

  private func carrier(
    of counts: [CountKey: Int], _ jobs: Zip2Sequence<[Ready], [JobOutcome]>
  ) throws -> JobEnvelope? {
    guard let counting else { return nil }
    let closed = jobs.compactMap { job, outcome -> ClosedJob? in
      if case .snoozed = outcome { return nil }
      return ClosedJob(kind: job.envelope.kind, info: JobInfo(job.envelope), outcome: outcome)
    }
    return closed.isEmpty ? nil : try counting(counts, closed)
  }

  private func closing(_ outcomes: [JobRun: JobOutcome], _ followUps: FollowUps, isAlone: Bool) throws -> JobClosing {
    var closing = JobClosing()
    for (job, outcome) in outcomes {
      switch outcome {
      case .completed: break
      case .discarded(let reason): closing.discarded[job] = reason
      case .snoozed: if isAlone { closing.rollsBack = true } else { closing.withdrawn.append(job) }
      }
    }
    closing.followUps = try followUps.items.map { item in
      guard let pool = routes[item.envelope.kind] else { throw UnroutedKind(kind: item.envelope.kind) }
      return RoutedFollowUp(envelope: item.envelope, pool: pool, dueAt: item.dueAt)
    }
    return closing
  }

  /// The ledger gives up some time before the attempt does, so that a ledger that has fallen silent is known as such
  /// and not taken for a slow worker.
  private func ledgerDeadline(_ start: ContinuousClock.Instant) -> ContinuousClock.Instant {
    start + pool.timeout - min(pool.timeout / 4, .seconds(4))
  }

  /// Gives the work its time; when that is over it is cancelled and known to have ended before anything else happens.
  private func withTimeout<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value
  {
    do {
      return try await withDeadline(.now + pool.timeout, body)
    } catch is DeadlineExceeded {
      throw TimedOut(after: pool.timeout)
    }
  }

  private func settle(_ jobs: [Ready], _ verdict: Verdict) async {
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
      for job in jobs { await exits.fail(job.delivery, job.envelope, error) }
    case .interrupted:
      for job in jobs { await exits.giveBack(job.delivery, job.envelope) }
    }
  }
}
