import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Jobs of a pool with a rate limit.
@Suite(.timeLimit(.minutes(1)))
struct EngineRateLimitTests {
  private let limit = RateLimit(count: 80, per: .seconds(1))

  /// Completes echo jobs and records each attempt with its instant.
  private func worker(_ began: Locked<[(attempt: Int, at: ContinuousClock.Instant)]>) -> EchoWorker.Body {
    { job, context in
      began.change { $0.append((context.info.attempt, .now)) }
      return try await EchoWorker.simple(job, context)
    }
  }

  @Test func `a job that the rate limit denies waits in its worker, spends no attempt, and runs later`() async throws {
    let platform = EnginePlatform(maxAttempts: 1, rate: limit)
    let began = Locked<[(attempt: Int, at: ContinuousClock.Instant)]>([])
    platform.limiter.plan(.denied(retryAfter: .milliseconds(100)), .denied(retryAfter: .milliseconds(100)))
    try await platform.withNode(echoJobs: worker(began)) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
      #expect(began.value.map(\.attempt) == [1])
      #expect(platform.limiter.asked.count == 3)
      #expect(platform.broker.retries.isEmpty && platform.store.scheduledJobs.isEmpty)
    }
  }

  @Test func `a job that is denied for long is scheduled in the store, no earlier than the limit allows`() async throws
  {
    let platform = EnginePlatform(maxAttempts: 1, rate: limit)
    platform.limiter.plan(.denied(retryAfter: .seconds(600)))
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let before = Date()
      try await platform.enqueue("a")
      try await eventually("the job waits") {
        platform.store.scheduledJobs.count == 1 && platform.broker.isEmpty(echoJobs)
      }
      let dueAt = try #require(platform.store.scheduledJobs.first).dueAt
      // The delay is drawn up to three tenths and half a second longer, so that jobs denied together return apart.
      #expect(dueAt >= before + 600 && dueAt < Date() + 781)
      #expect(platform.store.effects.isEmpty)
      platform.store.advance(by: .seconds(781))
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
    }
  }

  @Test func `a job that is allowed within a moment waits in its worker`() async throws {
    let platform = EnginePlatform(rate: limit)
    let began = Locked<[(attempt: Int, at: ContinuousClock.Instant)]>([])
    platform.limiter.plan(.allowed(after: .milliseconds(50)))
    try await platform.withNode(echoJobs: worker(began)) { _ async throws in
      let before = ContinuousClock.now
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      try #require(began.value.count == 1)
      #expect(before.duration(to: began.value[0].at) >= .milliseconds(50))
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.retries.isEmpty && platform.store.scheduledJobs.isEmpty)
    }
  }

  @Test func `every job asks the limiter once, under its own key or its pool's name`() async throws {
    let platform = EnginePlatform(rate: limit)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let jobs = [
        EchoJob(name: "a", rateLimitKey: "106540352242922"), EchoJob(name: "b"), EchoJob(name: "c", rateLimitKey: "7"),
      ]
      try await platform.enqueue(jobs.map { try JobCodec.envelope(for: $0, tenant: nil) })
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.sorted() == ["a", "b", "c"])
      #expect(platform.limiter.asked.map(\.key).sorted() == ["echoJobs", "echoJobs:106540352242922", "echoJobs:7"])
      #expect(platform.limiter.asked.allSatisfy { $0.nodes == 1 })
    }
  }

  @Test func `the limiter knows how many nodes share the pool`() async throws {
    let platform = EnginePlatform(rate: limit)
    try await platform.withNode("one", echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.withNode("two", echoJobs: EchoWorker.simple) { _ async throws in
        try await eventually("both nodes know of each other") {
          try await platform.enqueue("a", "b", "c", "d")
          try await platform.eventuallyIdle()
          return platform.limiter.asked.suffix(4).allSatisfy { $0.nodes == 2 }
        }
      }
      try await eventually("the first node is alone again") {
        try await platform.enqueue("a")
        try await platform.eventuallyIdle()
        return platform.limiter.asked.last?.nodes == 1
      }
    }
  }

  @Test func `a retry asks the limiter again`() async throws {
    let platform = EnginePlatform(rate: limit)
    try await platform.withNode(
      echoJobs: { job, context in
        if context.info.attempt == 1 { throw TransientError() }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
      #expect(platform.limiter.asked.count == 2)
    }
  }

  @Test func `a pool without a limit does not ask the limiter`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      #expect(platform.limiter.asked.isEmpty)
    }
  }

  @Test func `a batch worker in a pool with a limit is limited per job`() async throws {
    let platform = EnginePlatform(rate: limit)
    try await platform.withNode(
      registering: { registry in
        registry.register(
          EchoBatchWorker { batch, transaction in
            for item in batch { transaction.record(item.job.name) }
            return batch.map { _ in .completed }
          })
      }
    ) { _ async throws in
      try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.sorted() == ["a", "b"])
      #expect(platform.limiter.asked.count == 2)
    }
  }

  @Test func `a backlog that the limit denies stays in its queue, and nothing of it is snoozed`() async throws {
    let platform = EnginePlatform(workers: WorkerCounts(min: 1, start: 4, max: 4), maxAttempts: 1, rate: limit)
    platform.limiter.plan(repeating: .denied(retryAfter: .milliseconds(1)), times: 60)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.enqueue((0..<40).map { try JobCodec.envelope(for: EchoJob(name: "\($0)"), tenant: nil) })
      try await eventually("the limiter was asked often") { platform.limiter.asked.count > 40 }
      // Four wait in their workers, four are prefetched.
      #expect(platform.broker.unsettledCount(in: echoJobs) == 8)
      #expect(platform.broker.queued(in: echoJobs).count == 32)
      #expect(platform.broker.retries.isEmpty && platform.store.scheduledJobs.isEmpty)
      try await eventually("all are completed") { platform.store.effects.count == 40 }
      #expect(platform.broker.retries.isEmpty && platform.store.scheduledJobs.isEmpty)
    }
  }

  @Test func `jobs that wait for the limit are requeued when the node stops`() async throws {
    let platform = EnginePlatform(rate: limit)
    platform.limiter.plan(repeating: .denied(retryAfter: .seconds(5)), times: 100)
    try await platform.withNode(echoJobs: EchoWorker.simple) { node async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job waits") { platform.limiter.asked.count == 1 }
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.queued(in: echoJobs) == [job])
    }
  }
}
