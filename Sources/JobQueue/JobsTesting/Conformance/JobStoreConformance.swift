package import Jobs

/// The rules of ``Jobs/JobStore``: receipts are written first, and everything happens once or not at all.
///
/// Each rule needs a new store, or one that no other rule uses at the same time.
package struct JobStoreConformance<Store: JobStore>: Sendable {
  let store: Store
  let record: @Sendable (Store.Transaction, String) async throws -> Void
  let effects: @Sendable () async throws -> [String]
  let accepted: @Sendable () async throws -> [JobRun]

  /// - Parameter record: writes a named effect through a transaction.
  /// - Parameter effects: reads the names of all committed effects, outside of any transaction.
  /// - Parameter accepted: reads the runs that are recorded as accepted.
  package init(
    store: Store, record: @escaping @Sendable (Store.Transaction, String) async throws -> Void,
    effects: @escaping @Sendable () async throws -> [String],
    accepted: @escaping @Sendable () async throws -> [JobRun]
  ) {
    self.store = store
    self.record = record
    self.effects = effects
    self.accepted = accepted
  }

  package static var rules: [ConformanceRule<Self>] {
    completingRules + transactionRules + concurrencyRules + outboxRules + schedulingRules + startMarkerRules
      + acceptedRules + flowRules
  }

  // MARK: Helpers of the rules

  typealias Rule = ConformanceRule<Self>

  struct CompletionResult: Sendable {
    /// The runs that the body got; nil: it did not run.
    var open: Set<JobRun>?
    var entries: [OutboxEntry] = []
  }

  var soon: ContinuousClock.Instant { .now + .seconds(10) }

  func receipts(_ jobs: [JobRun]) -> [JobReceipt] {
    jobs.map { JobReceipt(jobRun: $0, kind: "test.kind", pool: "test.pool") }
  }

  /// Completes runs with one effect for each open one, named after it.
  @discardableResult
  func complete(
    _ jobs: [JobRun], _ change: @escaping @Sendable (inout Completion) -> Void = { _ in }
  ) async throws -> CompletionResult {
    let seen = Locked<Set<JobRun>?>(nil)
    let completion = try await store.complete(receipts(jobs), deadline: soon) { transaction, open in
      seen.change { $0 = open }
      for job in open { try await record(transaction, "\(job)") }
      var completion = Completion()
      change(&completion)
      return completion
    }
    return CompletionResult(open: seen.value, entries: completion?.outboxEntries ?? [])
  }

  /// Runs ``complete(_:_:)`` again while the transaction loses against another one.
  func completeRetryingContention(_ jobs: [JobRun]) async throws -> CompletionResult {
    while true {
      do { return try await complete(jobs) } catch JobStoreError.contention { continue }
    }
  }

  func requireEffects(of job: JobRun, _ count: Int) async throws {
    let found = try await effects().filter { $0 == "\(job)" }.count
    try requireEqual(found, count, "the effects of a job")
  }

  /// Puts jobs into the outbox, in order, as follow-ups of other jobs.
  func fillOutbox(_ envelopes: [JobEnvelope], pool: PoolName = "test.next") async throws {
    for envelope in envelopes {
      try await complete([JobRun(id: JobID())]) {
        $0.followUps = [RoutedFollowUp(envelope: envelope, pool: pool, dueAt: nil)]
      }
    }
  }

  /// - Parameter inOrder: true: the order counts, which only the first call after a change can check: reading the
  ///   outbox changes it.
  func requireOutbox(_ envelopes: [JobEnvelope], inOrder: Bool = false) async throws {
    let found = try await store.outbox().map(\.envelope)
    func arranged(_ envelopes: [JobEnvelope]) -> [JobEnvelope] {
      // Follow-ups are marked as counted.
      let envelopes = envelopes.map(\.asCounted)
      return inOrder ? envelopes : envelopes.sorted { ($0.id, $0.run) < ($1.id, $1.run) }
    }
    try requireEqual(arranged(found), arranged(envelopes), "the outbox")
  }

  /// Some round trips to the store that change nothing, so that a concurrent call reaches it.
  func roundTrips() async throws {
    for _ in 0..<20 {
      await Task.yield()
      _ = try await store.markStart(JobRun(id: JobID()), node: "test")
    }
  }
}
