internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Step 4: the worker, and its transactions.
extension JobAttempt {
  func runOne(_ ready: Ready, _ work: @escaping RegisteredWorker<Ledger.Transaction>.One) async throws
    -> Verdict
  {
    let start = CurrentRuntime.now
    let timeout = pool.timeout(of: ready.envelope.kind)
    let ledgerDeadline = Self.ledgerDeadline(start, timeout)
    defer { JobMetrics.attempt(CurrentRuntime.now - start, pool: pool.name, kind: ready.envelope.kind) }
    let closed = Mutex<[OutboxEntry]?>(nil)
    var jobLogger = logger
    jobLogger[metadataKey: "job"] = "\(ready.receipt)"
    jobLogger[metadataKey: "kind"] = "\(ready.envelope.kind)"
    let context = JobContext<Ledger.Transaction>(
      info: JobInfo(ready.envelope), logger: jobLogger, deadline: start + timeout
    ) { body in
      try await insisting(until: ledgerDeadline) {
        try await ledger.transact(deadline: ledgerDeadline, body)
      }
    } closer: { body in
      let (entries, outcomes) = try await insisting(until: ledgerDeadline) {
        try await transact([ready], deadline: ledgerDeadline) { transaction, _, followUps in
          [try await body(transaction, &followUps)]
        }
      }
      guard let outcome = outcomes[ready.receipt] else { throw AlreadyClosed() }
      if case .snoozed = outcome {} else { closed.withLock { $0 = entries } }
      return outcome
    }
    let outcome: JobOutcome
    do {
      outcome = try await withTimeout(timeout) { try await work(ready.job, context) }
    } catch is AlreadyClosed {
      return .closed([], [:])
    }
    if let entries = closed.withLock({ $0 }) { return .closed(entries, [ready.receipt: outcome]) }
    if case .snoozed = outcome { return .closed([], [ready.receipt: outcome]) }
    return try await runBatch([ready]) { _, _, _ in [outcome] }  // the worker had no effects: the receipt alone
  }

  /// Runs a worker's transaction again while the ledger is away, in doubt or contended, as long as the attempt lasts:
  /// what the worker has learned outside of the ledger must not be lost with it.
  func insisting<Value>(until deadline: ContinuousClock.Instant, _ body: () async throws -> Value) async throws
    -> Value
  {
    var backoff = Backoff(first: .milliseconds(20), most: .seconds(1))
    while true {
      do { return try await body() } catch let error as LedgerError {
        let pause = backoff.next()
        guard CurrentRuntime.now + pause < deadline, !Task.isCancelled else { throw error }
        try? await CurrentRuntime.sleep(for: pause)
      }
    }
  }

  func runBatch(
    _ jobs: [Ready],
    _ body: @escaping @Sendable (Ledger.Transaction, [Ready], inout FollowUps) async throws -> [JobOutcome]
  ) async throws -> Verdict {
    let start = CurrentRuntime.now
    // A batch is of one kind.
    let timeout = jobs.first.map { pool.timeout(of: $0.envelope.kind) } ?? pool.timeout
    defer {
      if let kind = jobs.first?.envelope.kind {
        JobMetrics.attempt(CurrentRuntime.now - start, pool: pool.name, kind: kind)
      }
    }
    let (entries, outcomes) = try await withTimeout(timeout) {
      try await transact(jobs, deadline: Self.ledgerDeadline(start, timeout), body)
    }
    return .closed(entries, outcomes)
  }

  /// The closing transaction; jobs that had a receipt already are missing from the outcomes.
  func transact(
    _ jobs: [Ready], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (Ledger.Transaction, [Ready], inout FollowUps) async throws -> [JobOutcome]
  ) async throws -> ([OutboxEntry], [JobRun: JobOutcome]) {
    let outcomesByJob = Mutex<[JobRun: JobOutcome]>([:])
    let receipts = jobs.map { JobReceipt(jobRun: $0.receipt, kind: $0.envelope.kind, pool: pool.name) }
    let entries = try await ledger.close(receipts, deadline: deadline) { transaction, open in
      // The same job twice in one batch is closed once.
      var seen = Set<JobRun>()
      let openJobs = jobs.filter { open.contains($0.receipt) && seen.insert($0.receipt).inserted }
      var followUps = FollowUps(at: now())
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

  func carrier(
    of counts: [CountKey: Int], _ jobs: Zip2Sequence<[Ready], [JobOutcome]>
  ) throws -> JobEnvelope? {
    guard let counting else { return nil }
    let closed = jobs.compactMap { job, outcome -> ClosedJob? in
      if case .snoozed = outcome { return nil }
      return ClosedJob(kind: job.envelope.kind, info: JobInfo(job.envelope), outcome: outcome)
    }
    return closed.isEmpty ? nil : try counting(counts, closed)
  }

  func closing(_ outcomes: [JobRun: JobOutcome], _ followUps: FollowUps, isAlone: Bool) throws -> JobClosing {
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
  static func ledgerDeadline(_ start: ContinuousClock.Instant, _ timeout: Duration) -> ContinuousClock.Instant {
    start + timeout - min(timeout / 4, .seconds(4))
  }

  /// Gives the work its time; when that is over it is cancelled and known to have ended before anything else happens.
  func withTimeout<Value: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    do {
      return try await withDeadline(CurrentRuntime.now + timeout, body)
    } catch is DeadlineExceeded {
      throw TimedOut(after: timeout)
    }
  }
}
