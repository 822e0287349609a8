internal import Foundation
public import Jobs

/// The rules of ``Jobs/DeadLetterIndex``, beside the ledger it shares receipts and outbox with: a job is done or dead,
/// never both.
///
/// Each rule wants a fresh index and ledger.
public struct DeadLetterConformance<Ledger: JobLedger>: Sendable {
  let ledger: Ledger
  let index: any DeadLetterIndex

  /// An index under test and its ledger.
  public init(ledger: Ledger, index: any DeadLetterIndex) {
    self.ledger = ledger
    self.index = index
  }

  /// All rules.
  public static var rules: [ConformanceRule<Self>] { recordRules + lookRules + retryRules + discardRules }

  // MARK: What the checks share

  typealias Rule = ConformanceRule<Self>

  var pool: PoolName { "test.pool" }

  /// The letter of a fresh job.
  func letter(
    _ envelope: JobEnvelope = SampleJobs.full(), pool: PoolName = "test.pool", cause: String = "Impossible",
    detail: String = "it cannot be", at seconds: Double = 1_790_000_100
  ) -> DeadLetter {
    SampleJobs.letter(envelope, SampleJobs.certificate(pool: pool, detail: detail, cause: cause, at: seconds))
  }

  /// Closes a job; true where it was open.
  func close(_ job: JobRun, change: @escaping @Sendable (inout JobClosing) -> Void = { _ in }) async throws -> Bool {
    let ran = Shared(false)
    let receipt = JobReceipt(jobRun: job, kind: "test.full", pool: pool)
    _ = try await ledger.close([receipt], deadline: .now + .seconds(10)) { _, _ in
      ran.change { $0 = true }
      var closing = JobClosing()
      change(&closing)
      return closing
    }
    return ran.value
  }

  func requireOpen(_ letters: [DeadLetter], _ when: String) async throws {
    let open = try await index.letters(DeadLetterFilter()).map(\.jobRun)
    try requireEqual(Set(open), Set(letters.map(\.jobRun)), "the open letters \(when)")
    try requireEqual(open.count, letters.count, "the number of open letters \(when)")
  }

  /// What the relay would enqueue now; it stays in the outbox.
  func outbox() async throws -> [OutboxEntry] {
    let seen = Shared<[OutboxEntry]>([])
    _ = try await ledger.relayOutbox(olderThan: .zero, limit: 1_000) { entries in
      seen.change { $0 += entries }
      return []
    }
    return seen.value
  }
}
