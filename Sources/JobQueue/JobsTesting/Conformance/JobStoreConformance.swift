package import Jobs

/// The rules of ``Jobs/JobStore``, for any store: receipts come first, and everything happens once or not at all.
///
/// Each rule wants a fresh store, or at least one that no other rule uses at the same time.
package struct JobStoreConformance<Store: JobStore>: Sendable {
  let store: Store
  let record: @Sendable (Store.Transaction, String) async throws -> Void
  let effects: @Sendable () async throws -> [String]

  /// A store under test.
  ///
  /// - Parameter record: writes a named effect through a transaction.
  /// - Parameter effects: reads the names of all committed effects, from outside of any transaction.
  package init(
    store: Store, record: @escaping @Sendable (Store.Transaction, String) async throws -> Void,
    effects: @escaping @Sendable () async throws -> [String]
  ) {
    self.store = store
    self.record = record
    self.effects = effects
  }

  /// All rules.
  package static var rules: [ConformanceRule<Self>] {
    completingRules + transactionRules + concurrencyRules + outboxRules + schedulingRules + startMarkerRules
  }

  // MARK: What the checks share

  typealias Rule = ConformanceRule<Self>

  /// What a completing transaction did.
  struct CompletionResult: Sendable {
    /// The jobs the body got; nil where it did not run.
    var open: Set<JobRun>?
    var entries: [OutboxEntry] = []
  }

  var soon: ContinuousClock.Instant { .now + .seconds(10) }

  func receipts(_ jobs: [JobRun]) -> [JobReceipt] {
    jobs.map { JobReceipt(jobRun: $0, kind: "test.kind", pool: "test.pool") }
  }

  /// Closes jobs with one effect for each open one, named after it.
  @discardableResult
  func complete(
    _ jobs: [JobRun], _ change: @escaping @Sendable (inout Completion) -> Void = { _ in }
  ) async throws -> CompletionResult {
    let seen = Locked<Set<JobRun>?>(nil)
    let entries = try await store.complete(receipts(jobs), deadline: soon) { transaction, open in
      seen.change { $0 = open }
      for job in open { try await record(transaction, "\(job)") }
      var completion = Completion()
      change(&completion)
      return completion
    }
    return CompletionResult(open: seen.value, entries: entries)
  }

  /// Closes jobs as ``complete(_:_:)`` does, again where the transaction lost against another one.
  func completeRetryingContention(_ jobs: [JobRun]) async throws -> CompletionResult {
    while true {
      do { return try await complete(jobs) } catch JobStoreError.contention { continue }
    }
  }

  func requireEffects(of job: JobRun, _ count: Int) async throws {
    let found = try await effects().filter { $0 == "\(job)" }.count
    try requireEqual(found, count, "the effects of a job")
  }

  /// Puts jobs into the outbox, in order, by way of jobs they follow from.
  func fillOutbox(_ envelopes: [JobEnvelope], pool: PoolName = "test.next") async throws {
    for envelope in envelopes {
      try await complete([JobRun(id: JobID())]) {
        $0.followUps = [RoutedFollowUp(envelope: envelope, pool: pool, dueAt: nil)]
      }
    }
  }

  /// The outbox's entries, oldest first; they stay there.
  func outbox() async throws -> [OutboxEntry] {
    let seen = Locked<[OutboxEntry]>([])
    _ = try await store.relayOutbox(olderThan: .zero, limit: 1_000) { entries in
      seen.change { $0 += entries }
      return []
    }
    return seen.value
  }

  /// Looking at the outbox changes its order, so the order is compared only where it is what the rule is about.
  func requireOutbox(_ envelopes: [JobEnvelope], inOrder: Bool = false) async throws {
    let found = try await outbox().map(\.envelope)
    func arranged(_ envelopes: [JobEnvelope]) -> [JobEnvelope] {
      inOrder ? envelopes : envelopes.sorted { ($0.id, $0.run) < ($1.id, $1.run) }
    }
    try requireEqual(arranged(found), arranged(envelopes), "the outbox")
  }

  /// Several round trips to the store that touch nothing: time enough for another call to get there.
  func roundTrips() async throws {
    for _ in 0..<20 {
      await Task.yield()
      _ = try await store.markStart(JobRun(id: JobID()), node: "test")
    }
  }
}
