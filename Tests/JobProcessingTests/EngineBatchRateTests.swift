import Foundation
import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// A worker of batches in a pool that has a rate, and so gathers none.
@Suite(.timeLimit(.minutes(1)))
struct EngineBatchRateTests {
  private let limit = RateLimit(count: 80, per: .seconds(1))

  /// Runs a node whose errands are done in batches; `seen` keeps the names of each, with the instant it began.
  private func withNode(
    _ platform: EnginePlatform, _ seen: Locked<[(names: [String], at: ContinuousClock.Instant)]>,
    _ body: () async throws -> Void
  ) async throws {
    try await platform.withNode(
      registering: { registry in
        registry.register(
          ErrandBatchWorker { batch, transaction in
            seen.change { $0.append((batch.map(\.job.name), .now)) }
            for item in batch { transaction.record(item.job.name) }
            return batch.map { _ in .completed }
          })
      }
    ) { _ async throws in try await body() }
  }

  @Test func `without a turn it is not called: the job is put off and spends no attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1, rate: limit)
    let seen = Locked<[(names: [String], at: ContinuousClock.Instant)]>([])
    platform.limiter.plan(.comeBack(after: .milliseconds(100)))
    try await withNode(platform, seen) {
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(errands) }
      #expect(platform.broker.retries.first?.envelope == job)
      #expect(platform.ledger.receipt(of: job.jobRun) == nil)
      #expect(seen.value.isEmpty)
      platform.broker.releaseRetries()
      try await eventually("the job is done") { platform.ledger.effects == ["a"] }
      #expect(platform.limiter.asked.count == 2)
    }
  }

  @Test func `it waits for a turn that comes in a moment`() async throws {
    let platform = EnginePlatform(rate: limit)
    let seen = Locked<[(names: [String], at: ContinuousClock.Instant)]>([])
    platform.limiter.plan(.turn(in: .milliseconds(50)))
    try await withNode(platform, seen) {
      let before = ContinuousClock.now
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(seen.value.count == 1)
      #expect(before.duration(to: seen.value[0].at) >= .milliseconds(50))
    }
  }

  @Test func `it is given its jobs one by one, each with a turn under its own key`() async throws {
    let platform = EnginePlatform(rate: limit)
    let seen = Locked<[(names: [String], at: ContinuousClock.Instant)]>([])
    try await withNode(platform, seen) {
      let jobs = [Errand(name: "a", line: "7"), Errand(name: "b"), Errand(name: "c", line: "8")]
      try await platform.enqueue(jobs.map { try JobCodec.envelope(for: $0, tenant: nil) })
      try await platform.eventuallyIdle()
      #expect(Set(seen.value.map(\.names)) == [["a"], ["b"], ["c"]])
      #expect(platform.limiter.asked.map(\.key).sorted() == ["errands", "errands:7", "errands:8"])
    }
  }
}
