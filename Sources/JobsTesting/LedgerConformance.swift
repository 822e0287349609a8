public import Jobs

/// The rules of ``Jobs/JobLedger``, for any ledger: receipts come first, and everything happens once or not at all.
///
/// Each rule wants a fresh ledger, or at least one that no other rule uses at the same time.
public struct LedgerConformance<Ledger: JobLedger>: Sendable {
  let ledger: Ledger
  let record: @Sendable (Ledger.Transaction, String) async throws -> Void
  let effects: @Sendable () async throws -> [String]

  /// A ledger under test.
  ///
  /// - Parameter record: writes a named effect through a transaction.
  /// - Parameter effects: reads the names of all committed effects, from outside of any transaction.
  public init(
    ledger: Ledger, record: @escaping @Sendable (Ledger.Transaction, String) async throws -> Void,
    effects: @escaping @Sendable () async throws -> [String]
  ) {
    self.ledger = ledger
    self.record = record
    self.effects = effects
  }

  /// All rules.
  public static var rules: [ConformanceRule<Self>] {
    closingRules + stepRules + crowdRules + outboxRules + delayRules + startRules
  }

  // MARK: What the checks share

  typealias Rule = ConformanceRule<Self>

  /// What a closing transaction did.
  struct Closed: Sendable {
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
  func close(
    _ jobs: [JobRun], _ change: @escaping @Sendable (inout JobClosing) -> Void = { _ in }
  ) async throws -> Closed {
    let seen = Shared<Set<JobRun>?>(nil)
    let entries = try await ledger.close(receipts(jobs), deadline: soon) { transaction, open in
      seen.change { $0 = open }
      for job in open { try await record(transaction, "\(job)") }
      var closing = JobClosing()
      change(&closing)
      return closing
    }
    return Closed(open: seen.value, entries: entries)
  }

  /// Closes jobs as ``close(_:_:)`` does, again where the transaction lost against another one.
  func closeInsisting(_ jobs: [JobRun]) async throws -> Closed {
    while true {
      do { return try await close(jobs) } catch LedgerError.contention { continue }
    }
  }

  func requireEffects(of job: JobRun, _ count: Int) async throws {
    let found = try await effects().filter { $0 == "\(job)" }.count
    try requireEqual(found, count, "the effects of a job")
  }

  /// Puts jobs into the outbox, in order, by way of jobs they follow from.
  func fillOutbox(_ envelopes: [JobEnvelope], pool: PoolName = "test.next") async throws {
    for envelope in envelopes {
      try await close([JobRun(id: JobID())]) {
        $0.followUps = [RoutedFollowUp(envelope: envelope, pool: pool, dueAt: nil)]
      }
    }
  }

  /// The outbox's entries, oldest first; they stay there.
  func outbox() async throws -> [OutboxEntry] {
    let seen = Shared<[OutboxEntry]>([])
    _ = try await ledger.relayOutbox(olderThan: .zero, limit: 1_000) { entries in
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

  /// Several round trips to the ledger that touch nothing: time enough for another call to get there.
  func roundTrips() async throws {
    for _ in 0..<20 {
      await Task.yield()
      _ = try await ledger.markStart(JobRun(id: JobID()), node: "test")
    }
  }
}
