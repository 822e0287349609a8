internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Step 4: the worker, and its transactions.
extension JobExecutor {
  func runSingle(_ ready: DecodedJob, _ work: @escaping RegisteredWorker<Store.Transaction>.One) async throws
    -> AttemptResult
  {
    let start = TimeSource.now
    let timeout = pool.timeout(of: ready.envelope.kind)
    let storeDeadline = Self.storeDeadline(start, timeout)
    defer { JobMetrics.attempt(TimeSource.now - start, pool: pool.name, kind: ready.envelope.kind) }
    let completed = Mutex<[OutboxEntry]?>(nil)
    var jobLogger = logger
    jobLogger[metadataKey: "job"] = "\(ready.receipt)"
    jobLogger[metadataKey: "kind"] = "\(ready.envelope.kind)"
    let context = JobContext<Store.Transaction>(
      info: JobInfo(ready.envelope), logger: jobLogger, deadline: start + timeout
    ) { body in
      try await retryingTransaction(until: storeDeadline) {
        try await store.withTransaction(deadline: storeDeadline, body)
      }
    } completer: { body in
      let (entries, outcomes) = try await retryingTransaction(until: storeDeadline) {
        try await runCompletingTransaction([ready], deadline: storeDeadline) { transaction, _, followUps in
          [try await body(transaction, &followUps)]
        }
      }
      guard let outcome = outcomes[ready.receipt] else { throw AlreadyCompleted() }
      if case .snoozed = outcome {} else { completed.withLock { $0 = entries } }
      return outcome
    }
    let outcome: JobOutcome
    do {
      outcome = try await withTimeout(timeout) { try await work(ready.job, context) }
    } catch is AlreadyCompleted {
      return .completed([], [:])
    }
    if let entries = completed.withLock({ $0 }) { return .completed(entries, [ready.receipt: outcome]) }
    if case .snoozed = outcome { return .completed([], [ready.receipt: outcome]) }
    return try await runBatch([ready]) { _, _, _ in [outcome] }  // the worker had no effects: the receipt alone
  }

  /// Runs a worker's transaction again while the store is away, in doubt or contended, as long as the attempt lasts:
  /// what the worker has learned outside of the store must not be lost with it.
  func retryingTransaction<Value>(until deadline: ContinuousClock.Instant, _ body: () async throws -> Value)
    async throws
    -> Value
  {
    var backoff = Backoff(initial: .milliseconds(20), max: .seconds(1))
    while true {
      do { return try await body() } catch let error as JobStoreError {
        let pause = backoff.next()
        guard TimeSource.now + pause < deadline, !Task.isCancelled else { throw error }
        try? await TimeSource.sleep(for: pause)
      }
    }
  }

  func runBatch(
    _ jobs: [DecodedJob],
    _ body: @escaping @Sendable (Store.Transaction, [DecodedJob], inout FollowUps) async throws -> [JobOutcome]
  ) async throws -> AttemptResult {
    let start = TimeSource.now
    // A batch is of one kind.
    let timeout = jobs.first.map { pool.timeout(of: $0.envelope.kind) } ?? pool.timeout
    defer {
      if let kind = jobs.first?.envelope.kind {
        JobMetrics.attempt(TimeSource.now - start, pool: pool.name, kind: kind)
      }
    }
    let (entries, outcomes) = try await withTimeout(timeout) {
      try await runCompletingTransaction(jobs, deadline: Self.storeDeadline(start, timeout), body)
    }
    return .completed(entries, outcomes)
  }

  /// The completing transaction; jobs that had a receipt already are missing from the outcomes.
  func runCompletingTransaction(
    _ jobs: [DecodedJob], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (Store.Transaction, [DecodedJob], inout FollowUps) async throws -> [JobOutcome]
  ) async throws -> ([OutboxEntry], [JobRun: JobOutcome]) {
    let outcomesByJob = Mutex<[JobRun: JobOutcome]>([:])
    let receipts = jobs.map { JobReceipt(jobRun: $0.receipt, kind: $0.envelope.kind, pool: pool.name) }
    let entries = try await store.complete(receipts, deadline: deadline) { transaction, open in
      // The same job twice in one batch is completed once.
      var seen = Set<JobRun>()
      let openJobs = jobs.filter { open.contains($0.receipt) && seen.insert($0.receipt).inserted }
      var followUps = FollowUps(at: now())
      let outcomes = try await body(transaction, openJobs, &followUps)
      guard outcomes.count == openJobs.count else {
        throw OutcomeCountMismatch(jobs: openJobs.count, outcomes: outcomes.count)
      }
      let byJob = Dictionary(uniqueKeysWithValues: zip(openJobs.map(\.receipt), outcomes))
      if let countsJob = try countsJob(of: followUps.counts, zip(openJobs, outcomes)) { followUps.enqueue(countsJob) }
      outcomesByJob.withLock { $0 = byJob }
      let completion = try completion(byJob, followUps, isAlone: jobs.count == 1)
      Failpoint.beforeCommit.visit()
      return completion
    }
    return (entries, outcomesByJob.withLock { $0 })
  }

  func countsJob(
    of counts: [Counter: Int], _ jobs: Zip2Sequence<[DecodedJob], [JobOutcome]>
  ) throws -> JobEnvelope? {
    guard let countsJobFactory else { return nil }
    let completed = jobs.compactMap { job, outcome -> FinishedJob? in
      if case .snoozed = outcome { return nil }
      return FinishedJob(kind: job.envelope.kind, info: JobInfo(job.envelope), outcome: outcome)
    }
    return completed.isEmpty ? nil : try countsJobFactory(counts, completed)
  }

  func completion(_ outcomes: [JobRun: JobOutcome], _ followUps: FollowUps, isAlone: Bool) throws -> Completion {
    var completion = Completion()
    for (job, outcome) in outcomes {
      switch outcome {
      case .completed: break
      case .cancelled(let reason): completion.cancelled[job] = reason
      case .snoozed: if isAlone { completion.rollsBack = true } else { completion.snoozed.append(job) }
      }
    }
    completion.followUps = try followUps.items.map { item in
      guard let pool = routes[item.envelope.kind] else { throw UnroutedKind(kind: item.envelope.kind) }
      return RoutedFollowUp(envelope: item.envelope, pool: pool, dueAt: item.dueAt)
    }
    return completion
  }

  /// The store gives up some time before the attempt does, so that a store that has fallen silent is known as such
  /// and not taken for a slow worker.
  static func storeDeadline(_ start: ContinuousClock.Instant, _ timeout: Duration) -> ContinuousClock.Instant {
    start + timeout - min(timeout / 4, .seconds(4))
  }

  /// Gives the work its time; when that is over it is cancelled and known to have ended before anything else happens.
  func withTimeout<Value: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    do {
      return try await withDeadline(TimeSource.now + timeout, body)
    } catch is DeadlineExceeded {
      throw AttemptTimedOut(after: timeout)
    }
  }
}
