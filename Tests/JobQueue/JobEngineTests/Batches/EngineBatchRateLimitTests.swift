import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// A batch worker in a pool with a rate limit, which gathers no batches.
@Suite(.timeLimit(.minutes(1)))
struct EngineBatchRateLimitTests {
  private let limit = RateLimit(count: 80, per: .seconds(1))

  /// Runs a node with a batch worker; `seen` records the names of each batch and the instant it started.
  private func withNode(
    _ platform: EnginePlatform, _ seen: Locked<[(names: [String], at: ContinuousClock.Instant)]>,
    _ body: () async throws -> Void
  ) async throws {
    try await platform.withNode(
      registering: { registry in
        registry.register(
          EchoBatchWorker { batch, transaction in
            seen.change { $0.append((batch.map(\.job.name), .now)) }
            for item in batch { transaction.record(item.job.name) }
            return batch.map { _ in .completed }
          })
      }
    ) { _ async throws in try await body() }
  }

  @Test func `a job that the rate limit denies for long is snoozed, spends no attempt, and does not reach the worker`()
    async throws
  {
    let platform = EnginePlatform(maxAttempts: 1, rate: limit)
    let seen = Locked<[(names: [String], at: ContinuousClock.Instant)]>([])
    platform.limiter.plan(.denied(retryAfter: .seconds(600)))
    try await withNode(platform, seen) {
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job waits") {
        platform.store.scheduledJobs.count == 1 && platform.broker.isEmpty(echoJobs)
      }
      #expect(platform.store.scheduledJobs.first?.envelope == job)
      #expect(platform.store.receipt(of: job.jobRun) == nil)
      #expect(seen.value.isEmpty)
      platform.store.advance(by: .seconds(601))
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
      #expect(platform.limiter.asked.count == 2)
    }
  }

  @Test func `a job that is allowed within a moment waits for that`() async throws {
    let platform = EnginePlatform(rate: limit)
    let seen = Locked<[(names: [String], at: ContinuousClock.Instant)]>([])
    platform.limiter.plan(.allowed(after: .milliseconds(50)))
    try await withNode(platform, seen) {
      let before = ContinuousClock.now
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(seen.value.count == 1)
      #expect(before.duration(to: seen.value[0].at) >= .milliseconds(50))
    }
  }

  @Test func `the worker gets its jobs one by one, each allowed under its own key`() async throws {
    let platform = EnginePlatform(rate: limit)
    let seen = Locked<[(names: [String], at: ContinuousClock.Instant)]>([])
    try await withNode(platform, seen) {
      let jobs = [EchoJob(name: "a", rateLimitKey: "7"), EchoJob(name: "b"), EchoJob(name: "c", rateLimitKey: "8")]
      try await platform.enqueue(jobs.map { try JobCodec.envelope(for: $0, tenant: nil) })
      try await platform.eventuallyIdle()
      #expect(Set(seen.value.map(\.names)) == [["a"], ["b"], ["c"]])
      #expect(platform.limiter.asked.map(\.key).sorted() == ["echoJobs", "echoJobs:7", "echoJobs:8"])
    }
  }
}
