internal import Foundation
package import Jobs

/// The rules of ``Jobs/DeadLetterIndex``, together with the store whose receipts and outbox it shares: a run is
/// completed or dead, never both.
///
/// Each rule needs a new index and store.
package struct DeadLetterConformance<Store: JobStore>: Sendable {
  let store: Store
  let index: any DeadLetterIndex

  package init(store: Store, index: any DeadLetterIndex) {
    self.store = store
    self.index = index
  }

  package static var rules: [ConformanceRule<Self>] {
    recordRules + listingRules + retryRules + archivingRules + countingRules
  }

  // MARK: Helpers of the rules

  typealias Rule = ConformanceRule<Self>

  var pool: PoolName { "test.pool" }

  func letter(
    _ envelope: JobEnvelope = SampleJobs.full(), pool: PoolName = "test.pool", cause: String = "Impossible",
    detail: String = "it cannot be", at seconds: Double = 1_790_000_100
  ) -> DeadLetter {
    SampleJobs.letter(envelope, SampleJobs.deadLetterInfo(pool: pool, detail: detail, cause: cause, at: seconds))
  }

  /// Completes a run; false: it had its receipt.
  func complete(_ job: JobRun, change: @escaping @Sendable (inout Completion) -> Void = { _ in }) async throws -> Bool {
    let ran = Locked(false)
    let receipt = JobReceipt(jobRun: job, kind: "test.full", pool: pool)
    _ = try await store.complete([receipt], deadline: .now + .seconds(10)) { _, _ in
      ran.change { $0 = true }
      var completion = Completion()
      change(&completion)
      return completion
    }
    return ran.value
  }

  func requireOpen(_ letters: [DeadLetter], _ when: String) async throws {
    let open = try await index.letters(DeadLetterFilter()).map(\.jobRun)
    try requireEqual(Set(open), Set(letters.map(\.jobRun)), "the open letters \(when)")
    try requireEqual(open.count, letters.count, "the number of open letters \(when)")
  }
}
